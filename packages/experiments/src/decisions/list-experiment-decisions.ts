import {
  booleanField,
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  numberField,
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
import { decisionColumns, type ExperimentDecision } from './decide-experiment.ts';
import { decisionVerdicts } from './decision.ts';
import { abDecisions } from './schema.ts';

const fields = defineFilterFields({
  id: uuidField(abDecisions.id),
  experimentId: uuidField(abDecisions.experimentId),
  experimentKey: textField(abDecisions.experimentKey),
  snapshotId: uuidField(abDecisions.snapshotId),
  looks: numberField(abDecisions.looks),
  isOver: booleanField(abDecisions.isOver),
  verdict: enumField(abDecisions.verdict, decisionVerdicts),
  variantKey: textField(abDecisions.variantKey),
  occurredAt: timeField(abDecisions.occurredAt),
});

const decisionList = defineList({
  name: 'experiments.decisions',
  from: abDecisions,
  columns: decisionColumns,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'id', direction: 'desc' }],
    tieBreaker: fields.fields.id,
  }),
});

export const ListExperimentDecisionsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `experiment_id = '…' AND verdict = 'ship'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
});
export type ListExperimentDecisionsInput = Readonly<z.input<typeof ListExperimentDecisionsInput>>;

/**
 * Decisions of all experiments, also of deleted ones, the last first, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and cursor.
 */
export async function listExperimentDecisions(
  tx: TenantTx,
  input: ListExperimentDecisionsInput = {},
): Promise<Page<ExperimentDecision>> {
  return await readPage(tx, decisionList, parseInput(ListExperimentDecisionsInput, input));
}
