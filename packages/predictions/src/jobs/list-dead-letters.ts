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
} from '@mcp-hub/db-core';
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { readStoredRow } from './batch-row.ts';
import { jobId } from './job-inputs.ts';
import { batchDeadLetters, deadLetterKinds } from './schema.ts';

/** A row that has no prediction, and why. */
export interface DeadLetter extends Omit<DeadLetterRow, 'input'> {
  readonly subject: string | null;
  readonly features: ReturnType<typeof readStoredRow>['features'];
}

type DeadLetterRow = Readonly<Omit<typeof batchDeadLetters.$inferSelect, 'tenantId'>>;

const fields = defineFilterFields({
  row_number: numberField(batchDeadLetters.rowNumber),
  chunk_number: numberField(batchDeadLetters.chunkNumber),
  kind: enumField(batchDeadLetters.kind, deadLetterKinds),
  reason: textField(batchDeadLetters.reason),
});

export const ListDeadLettersInput = z.strictObject({
  jobId,
  ...PageInput.shape,
  /** Text such as `kind = 'row' AND reason LIKE 'TypeError%'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: by row. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListDeadLettersInput = Readonly<z.input<typeof ListDeadLettersInput>>;

const { jobId: ofJob, rowNumber, chunkNumber, kind, reason, input, at } = batchDeadLetters;
const letterList = defineList({
  name: 'predictions.deadLetters',
  from: batchDeadLetters,
  columns: { jobId: ofJob, rowNumber, chunkNumber, kind, reason, input, at },
  order: defineOrder({
    fields,
    byDefault: [{ field: 'row_number', direction: 'asc' }],
    tieBreaker: fields.fields.row_number,
  }),
  toItem: ({ input: stored, ...letter }: DeadLetterRow): DeadLetter => {
    const { subject = null, features } = readStoredRow(stored);
    return { ...letter, subject, features };
  },
});

/**
 * The rows of a job that could not be predicted, with their reasons, in the order of the rows, by pages, with filter and
 * order of db-core. One statement, no lock. Empty where there is no such job.
 */
export async function listDeadLetters(tx: TenantTx, given: ListDeadLettersInput): Promise<Page<DeadLetter>> {
  const { jobId: id, ...wanted } = parseInput(ListDeadLettersInput, given);
  return await readPage(tx, letterList, {
    ...wanted,
    within: { condition: eq(ofJob, id as typeof ofJob._.data), of: [id] },
  });
}
