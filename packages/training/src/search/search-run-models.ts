import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { modelRegistry, modelStages } from '@mcp-hub/registry/schema';
import { z } from 'zod';
import { type RunModel, runModelSource } from '../runs/list-run-models.ts';
import { runModelRoles, trainingRunModels, trainingRuns } from '../schema.ts';

/** What model versions that runs are linked to can be searched and ordered by. */
export const runModelFields = defineFilterFields({
  runId: uuidField(trainingRunModels.runId, { asWritten: true }),
  runName: textField(trainingRuns.name),
  group: textField(trainingRuns.group),
  versionId: uuidField(trainingRunModels.versionId),
  modelName: textField(modelRegistry.name, { aliases: ['name', 'model'] }),
  modelVersion: textField(modelRegistry.version, { aliases: ['version'] }),
  stage: enumField(modelRegistry.stage, modelStages),
  role: enumField(trainingRunModels.role, runModelRoles),
  createdAt: timeField(trainingRunModels.createdAt),
});

const { runId, versionId, role } = runModelFields.fields;
const runModelList = defineList({
  ...runModelSource,
  name: 'training.searchRunModels',
  order: defineOrder({
    fields: runModelFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: [runId, versionId, role],
  }),
});

export const SearchRunModelsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `run_id IN ('…', '…') AND role = 'output'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof runModelFields>>().optional(),
  /** Default: the last linked first. */
  orderBy: z.custom<OrderInput<typeof runModelFields>>().optional(),
});
export type SearchRunModelsInput = Readonly<z.input<typeof SearchRunModelsInput>>;

/**
 * Searches the model versions that runs produced or began from, by pages; without those that are deleted, and those of
 * deleted runs. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchRunModels(tx: TenantTx, input: SearchRunModelsInput = {}): Promise<Page<RunModel>> {
  return await readPage(tx, runModelList, parseInput(SearchRunModelsInput, input));
}
