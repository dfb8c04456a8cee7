import {
  defineFilterFields,
  defineList,
  defineOrder,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
} from '@mcp-hub/db-core';
import { eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { trainingEvents } from '../schema.ts';

/** A row of training_events. */
export type RunEventRow = Readonly<typeof trainingEvents.$inferSelect>;

export const ListRunEventsInput = z.strictObject({ runId, ...PageInput.shape });
export type ListRunEventsInput = Readonly<z.input<typeof ListRunEventsInput>>;

const fields = defineFilterFields({ changeNumber: numberField(trainingEvents.changeNumber) });
const eventList = defineList({
  name: 'training.runEvents',
  from: trainingEvents,
  columns: getTableColumns(trainingEvents),
  order: defineOrder({
    fields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: fields.fields.changeNumber,
  }),
});

/**
 * What befell a run, the last first, by pages; also after it was deleted, and deleted for good. One statement, no lock.
 * Empty where there never was such a run.
 */
export async function listRunEvents(tx: TenantTx, input: ListRunEventsInput): Promise<Page<RunEventRow>> {
  const { runId: id, ...wanted } = parseInput(ListRunEventsInput, input);
  return await readPage(tx, eventList, { ...wanted, within: { condition: eq(trainingEvents.runId, id), of: [id] } });
}
