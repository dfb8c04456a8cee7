import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { type RunModelRole, runModelRoles, trainingRunModels, trainingRuns } from '../schema.ts';
import { runModelRole } from './link-run-model.ts';

/** A run and a model version that it produced or began from. */
export interface RunModel {
  readonly runId: Id<'Run'>;
  readonly runName: string;
  readonly versionId: Id<'ModelVersion'>;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly role: RunModelRole;
  readonly actor: string | null;
  readonly createdAt: Date;
}

export const ListRunModelsInput = z
  .strictObject({
    ...PageInput.shape,
    /** The versions of this run. */
    runId: runId.optional(),
    /** The runs of this version. */
    versionId: z.uuid().optional(),
    role: runModelRole.optional(),
  })
  .refine((input) => input.runId !== undefined || input.versionId !== undefined, 'must name a runId or a versionId');
export type ListRunModelsInput = Readonly<z.input<typeof ListRunModelsInput>>;

const fields = defineFilterFields({
  createdAt: timeField(trainingRunModels.createdAt),
  runId: uuidField(trainingRunModels.runId),
  versionId: uuidField(trainingRunModels.versionId),
  role: enumField(trainingRunModels.role, runModelRoles),
});
const { runId: linkedRun, versionId: linkedVersion, role: linkedRole, actor, createdAt } = trainingRunModels;
/** The links of runs that are there to versions that are. */
export const runModelSource = {
  from: trainingRunModels,
  joins: sql`
    join ${trainingRuns} on ${trainingRuns.tenantId} = ${trainingRunModels.tenantId} and ${trainingRuns.id} = ${linkedRun}
    join ${modelRegistry} on ${modelRegistry.tenantId} = ${trainingRunModels.tenantId}
                         and ${modelRegistry.id} = ${linkedVersion}`,
  columns: {
    runId: linkedRun,
    runName: trainingRuns.name,
    versionId: linkedVersion,
    modelName: modelRegistry.name,
    modelVersion: modelRegistry.version,
    role: linkedRole,
    actor,
    createdAt,
  },
  where: and(isNull(trainingRuns.deletedAt), isNull(modelRegistry.deletedAt)),
};
const modelList = defineList({
  ...runModelSource,
  name: 'training.runModels',
  order: defineOrder({
    fields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: [fields.fields.runId, fields.fields.versionId, fields.fields.role],
  }),
});

/**
 * The model versions of a run, or the runs of a version, the last linked first, by pages; without those that are deleted.
 * One statement, no lock. Empty where there is no such run or version.
 */
export async function listRunModels(tx: TenantTx, input: ListRunModelsInput): Promise<Page<RunModel>> {
  const { runId: ofRun, versionId: ofVersion, role, ...wanted } = parseInput(ListRunModelsInput, input);
  return await readPage(tx, modelList, {
    ...wanted,
    within: {
      condition: and(
        ofRun === undefined ? undefined : eq(linkedRun, ofRun as Id<'Run'>),
        ofVersion === undefined ? undefined : eq(linkedVersion, ofVersion as Id<'ModelVersion'>),
        role === undefined ? undefined : eq(linkedRole, role),
      ),
      of: [ofRun ?? null, ofVersion ?? null, role ?? null],
    },
  });
}
