import { actorColumn, createdAtColumn, idColumn, referenceColumn, tenantTable } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { integer } from 'drizzle-orm/pg-core';

/** What a model version's inputs and outputs looked like when all was well; each change is a new revision. */
export const monitoringBaselines = tenantTable(
  'monitoring_baselines',
  {
    id: idColumn<'Baseline'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** 1, and one more with each baseline of the version. */
    revision: integer('revision').notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('revision', t.modelVersionId, t.revision),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
  ],
);
