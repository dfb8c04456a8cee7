import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { trainingArtifacts, trainingRuns } from '../schema.ts';
import { artifactKind } from './record-artifacts.ts';

/** A row of training_artifacts. */
export type Artifact = Readonly<typeof trainingArtifacts.$inferSelect>;

export const ListArtifactsInput = z.strictObject({
  runId,
  ...PageInput.shape,
  /** Those of this kind only. */
  kind: artifactKind.optional(),
});
export type ListArtifactsInput = Readonly<z.input<typeof ListArtifactsInput>>;

const fields = defineFilterFields({ path: textField(trainingArtifacts.path) });
const artifactList = defineList({
  name: 'training.artifacts',
  from: trainingArtifacts,
  columns: getTableColumns(trainingArtifacts),
  where: sql`exists (
    select from ${trainingRuns} r
     where r.tenant_id = ${trainingArtifacts.tenantId} and r.id = ${trainingArtifacts.runId} and r.deleted_at is null)`,
  order: defineOrder({ fields, byDefault: [{ field: 'path' }], tieBreaker: fields.fields.path }),
});

/** The artifacts of a run, by path, by pages. One statement, no lock. Empty where there is no such run, or it is deleted. */
export async function listArtifacts(tx: TenantTx, input: ListArtifactsInput): Promise<Page<Artifact>> {
  const { runId: id, kind, ...wanted } = parseInput(ListArtifactsInput, input);
  return await readPage(tx, artifactList, {
    ...wanted,
    within: {
      condition: and(
        eq(trainingArtifacts.runId, id as Id<'Run'>),
        kind === undefined ? undefined : eq(trainingArtifacts.kind, kind),
      ),
      of: [id, kind ?? null],
    },
  });
}
