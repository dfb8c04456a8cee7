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
import { jobId } from './job-inputs.ts';
import { batchJobEvents } from './schema.ts';

/** A row of batch_job_events. */
export type BatchJobEventRow = Readonly<typeof batchJobEvents.$inferSelect>;

export const ListBatchJobEventsInput = z.strictObject({ jobId, ...PageInput.shape });
export type ListBatchJobEventsInput = Readonly<z.input<typeof ListBatchJobEventsInput>>;

const fields = defineFilterFields({ changeNumber: numberField(batchJobEvents.changeNumber) });
const eventList = defineList({
  name: 'predictions.batchJobEvents',
  from: batchJobEvents,
  columns: getTableColumns(batchJobEvents),
  order: defineOrder({
    fields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: fields.fields.changeNumber,
  }),
});

/**
 * What befell a job, the last first, by pages; also after it was deleted. One statement, no lock. Empty where there never
 * was such a job.
 */
export async function listBatchJobEvents(
  tx: TenantTx,
  input: ListBatchJobEventsInput,
): Promise<Page<BatchJobEventRow>> {
  const { jobId: id, ...wanted } = parseInput(ListBatchJobEventsInput, input);
  return await readPage(tx, eventList, { ...wanted, within: { condition: eq(batchJobEvents.jobId, id), of: [id] } });
}
