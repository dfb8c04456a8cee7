import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  numberField,
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
import { z } from 'zod';
import { type ExperimentRow, experimentColumns } from './get-experiment.ts';
import { abExperiments, experimentStatuses, experimentTests } from './schema.ts';

/** What experiments can be searched and ordered by. An index serves the orders by key and created_at. */
export const experimentFields = defineFilterFields({
  id: uuidField(abExperiments.id),
  key: textField(abExperiments.key),
  hypothesis: textField(abExperiments.hypothesis),
  status: enumField(abExperiments.status, experimentStatuses),
  test: enumField(abExperiments.test, experimentTests),
  layer_id: uuidField(abExperiments.layerId),
  actor: textField(abExperiments.actor),
  revision: numberField(abExperiments.revision),
  created_at: timeField(abExperiments.createdAt),
  updated_at: timeField(abExperiments.updatedAt),
  started_at: timeField(abExperiments.startedAt),
  stopped_at: timeField(abExperiments.stoppedAt),
});

const experimentList = defineList({
  name: 'experiments.experiments',
  from: abExperiments,
  columns: experimentColumns,
  order: defineOrder({
    fields: experimentFields,
    byDefault: [{ field: 'created_at', direction: 'desc' }],
    tieBreaker: experimentFields.fields.id,
  }),
});

export const ListExperimentsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `status = 'running' AND key LIKE 'search%'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof experimentFields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof experimentFields>>().optional(),
});
export type ListExperimentsInput = Readonly<z.input<typeof ListExperimentsInput>>;

/**
 * The tenant's experiments without their parts, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listExperiments(tx: TenantTx, input: ListExperimentsInput = {}): Promise<Page<ExperimentRow>> {
  return await readPage(tx, experimentList, parseInput(ListExperimentsInput, input));
}
