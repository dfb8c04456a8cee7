import {
  type FilterInput,
  type Id,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
} from '@mcp-hub/db-core';
import { and, eq, isNotNull, isNull, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import type { Run } from '../runs/runs.ts';
import { trainingRuns } from '../schema.ts';
import type { runFields } from './run-fields.ts';
import { IncludedParts, runListWith } from './run-list.ts';

/** Runs that are there, those that were deleted and can be restored, or both. */
export const RunLifecycle = z.enum(['active', 'deleted', 'all']);
export type RunLifecycle = z.infer<typeof RunLifecycle>;

export const SearchRunsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `params.lr = '0.1' AND best.auc > 0.8`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof runFields>>().optional(),
  /** Text such as `metrics.loss ASC`, or terms. Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof runFields>>().optional(),
  /** Default: active. */
  lifecycle: RunLifecycle.optional(),
  include: IncludedParts.optional(),
});
export type SearchRunsInput = Readonly<z.input<typeof SearchRunsInput>>;

/**
 * Searches the runs of the tenant, by pages of 1 to 50,000, 1,000 by default. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchRuns(tx: TenantTx, input: SearchRunsInput = {}): Promise<Page<Run>> {
  const { lifecycle = 'active', include, ...page } = parseInput(SearchRunsInput, input);
  const within = { condition: ofLifecycle(lifecycle), of: [lifecycle] };
  return await readPage(tx, runListWith(include), { ...page, within });
}

export const ListChildRunsInput = z.strictObject({
  ...PageInput.shape,
  /** The parent. */
  runId,
  /** Of the children. Default: active. */
  lifecycle: RunLifecycle.optional(),
  include: IncludedParts.optional(),
});
export type ListChildRunsInput = Readonly<z.input<typeof ListChildRunsInput>>;

/**
 * The runs whose parent is this run, the newest first, by pages as of searchRuns. One statement, no lock. Empty where there
 * is no such run.
 */
export async function listChildRuns(tx: TenantTx, input: ListChildRunsInput): Promise<Page<Run>> {
  const { runId: parent, lifecycle = 'active', include, ...page } = parseInput(ListChildRunsInput, input);
  const within = {
    condition: and(eq(trainingRuns.parentRunId, parent as Id<'Run'>), ofLifecycle(lifecycle)),
    of: [parent, lifecycle],
  };
  return await readPage(tx, runListWith(include), { ...page, within, orderBy: [{ field: 'id', direction: 'desc' }] });
}

function ofLifecycle(lifecycle: RunLifecycle): SQL | undefined {
  if (lifecycle === 'all') return undefined;
  return lifecycle === 'active' ? isNull(trainingRuns.deletedAt) : isNotNull(trainingRuns.deletedAt);
}
