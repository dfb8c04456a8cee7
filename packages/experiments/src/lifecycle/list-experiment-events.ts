import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
} from '@mcp-hub/db-core';
import { eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { abExperimentEvents } from './schema.ts';

/** A row of ab_experiment_events. */
export type ExperimentEvent = Readonly<Omit<typeof abExperimentEvents.$inferSelect, 'tenantId'>>;

/** By the id, and not the key: of a key there may have been several experiments. */
export const ListExperimentEventsInput = z.strictObject({ experimentId: z.uuid(), ...PageInput.shape });
export type ListExperimentEventsInput = Readonly<z.input<typeof ListExperimentEventsInput>>;

const { tenantId: _, ...columns } = getTableColumns(abExperimentEvents);
const fields = defineFilterFields({ changeNumber: numberField(abExperimentEvents.changeNumber) });
const eventList = defineList({
  name: 'experiments.events',
  from: abExperimentEvents,
  columns,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: fields.fields.changeNumber,
  }),
});

/**
 * What befell an experiment, the last first, by pages; also after it was deleted. One statement, no lock. Empty where there
 * never was such an experiment.
 */
export async function listExperimentEvents(
  tx: TenantTx,
  input: ListExperimentEventsInput,
): Promise<Page<ExperimentEvent>> {
  const { experimentId, ...wanted } = parseInput(ListExperimentEventsInput, input);
  const condition = eq(abExperimentEvents.experimentId, experimentId as Id<'Experiment'>);
  return await readPage(tx, eventList, { ...wanted, within: { condition, of: [experimentId] } });
}
