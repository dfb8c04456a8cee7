import { DomainError } from '@mcp-hub/db-core';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import { EVALUATION_LIMITS } from '../limits.ts';
import { checkedLabel } from '../tasks/split-rows.ts';
import { sliceText } from './query-rows.ts';

/** What one statement says of the slices of a feature. */
export interface FoundSlices<Summary> {
  /** With those that have too few rows. */
  readonly slices: number;
  readonly summaries: readonly Summary[];
}

/** Reads the slices of each feature, one statement each, and hands them on; says for the parameters how many were left out. */
export async function measureSlices<Summary extends { readonly slice: string }>(
  {
    slices = {},
    minSliceRows,
  }: { readonly slices?: Readonly<Record<string, SQLWrapper>> | undefined; readonly minSliceRows: number },
  read: (slice: SQL, minRows: number) => Promise<FoundSlices<Summary>>,
  add: (summary: Summary, feature: string) => void,
): Promise<Readonly<Record<string, number>>> {
  let [leftOut, count] = [0, 0];
  for (const [feature, column] of Object.entries(slices)) {
    const found = await read(sliceText(column), minSliceRows);
    leftOut += found.slices - found.summaries.length;
    count += found.summaries.length;
    if (count > EVALUATION_LIMITS.slices) {
      throw new DomainError('invalid_input', `slices must make at most ${EVALUATION_LIMITS.slices} slices.`, {
        details: { field: 'columns.slices', limit: EVALUATION_LIMITS.slices, got: count },
      });
    }
    for (const summary of found.summaries) {
      checkedLabel(summary.slice, 'slices');
      add(summary, feature);
    }
  }
  return Object.keys(slices).length === 0 ? {} : { minSliceRows, slicesLeftOut: leftOut };
}
