import {
  type Database,
  DomainError,
  type Id,
  isDomainError,
  isLeaseLost,
  pause,
  type TenantTx,
  withTenant,
} from '@mcp-hub/db-core';
import type { BatchToPredict, BatchWorkerOptions, ChunkOutcome } from './batch-worker-options.ts';
import type { ChunkLease } from './chunk-lease.ts';
import { chunkLeaseLost, releaseChunk } from './chunk-lease.ts';
import type { ClaimedChunk } from './claim-chunk.ts';
import { type CompletedChunk, completeChunk, type RowResult } from './complete-chunk.ts';
import { failChunk } from './fail-chunk.ts';
import { holdChunk } from './hold-chunk.ts';
import { isTenantTimeout } from './is-tenant-timeout.ts';

export interface ChunkRun {
  readonly outcome: ChunkOutcome;
  readonly completed?: CompletedChunk;
}

/** Results that cannot be recorded make dead letters of their rows; beyond so many the model is at fault, and the chunk fails. */
const REFUSED_ROWS_MAX = 100;

/** Predicts a claimed chunk and ends it, one way or the other. Holds no transaction meanwhile, and never rejects. */
export async function predictChunk(
  db: Database,
  tenant: string,
  chunk: ClaimedChunk,
  options: BatchWorkerOptions & { readonly leaseMs: number; readonly watchMs: number; readonly graceMs: number },
): Promise<ChunkRun> {
  const { signal: stop, leaseMs, graceMs, logger } = options;
  const { lease, rows, attempt, versionId, jobName } = chunk;
  const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, work, {
      lockTimeoutMs: Math.min(leaseMs, 10_000),
      ...(options.actor === undefined ? {} : { actor: options.actor }),
    });
  // Not AbortSignal.any: on Node 20 its signals stay alive as long as the caller's own.
  const abort = new AbortController();
  const ended = new AbortController();
  const onStop = () => abort.abort(stop.reason);
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  const held = holdChunk(inTenant, lease, options, abort);
  const facts = {
    ...{ tenant, jobName, versionId, attempt },
    jobId: lease.jobId as Id<'BatchJob'>,
    chunkNumber: lease.chunkNumber,
  };
  try {
    const batch: BatchToPredict = { ...facts, rows, signal: abort.signal };
    const results = await Promise.race([predictRows(options, batch), graceOver(abort.signal, ended.signal, graceMs)]);
    const completed = await persist(() => completeRows(inTenant, chunk, results), abort.signal, graceMs);
    return { outcome: 'completed', completed };
  } catch (error) {
    if (isLeaseLost(error) || isLeaseLost(abort.signal.reason)) return { outcome: 'lost' };
    try {
      if (abort.signal.aborted) {
        await persist(() => inTenant((tx) => releaseChunk(tx, { lease })), abort.signal, graceMs);
        return { outcome: 'released' };
      }
      tell(() => options.onError?.(error, facts));
      logger?.warn(
        { tenant, jobId: lease.jobId, chunk: lease.chunkNumber, attempt, code: codeOf(error) },
        'a chunk failed',
      );
      const reason = textOf(error);
      const { dead } = await persist(() => inTenant((tx) => failChunk(tx, { lease, reason })), abort.signal, graceMs);
      return { outcome: dead ? 'dead' : 'failed' };
    } catch (second) {
      // The chunk is claimed again when its lease has run out.
      logger?.warn({ tenant, jobId: lease.jobId, chunk: lease.chunkNumber, code: codeOf(second) }, 'a chunk was lost');
      return { outcome: 'lost' };
    }
  } finally {
    ended.abort();
    await held.stop();
    stop.removeEventListener('abort', onStop);
  }
}

async function predictRows({ predict }: BatchWorkerOptions, batch: BatchToPredict): Promise<readonly RowResult[]> {
  const results: unknown = await predict(batch);
  if (Array.isArray(results) && results.length === batch.rows.length) return results as readonly RowResult[];
  const got = Array.isArray(results) ? `${results.length} results` : 'no array';
  throw new DomainError('invalid_input', `predict gave ${got} for ${batch.rows.length} rows.`);
}

/** Rejects when predict goes on for too long after its signal. */
async function graceOver(aborted: AbortSignal, ended: AbortSignal, graceMs: number): Promise<never> {
  await new Promise<void>((resolve) => {
    if (aborted.aborted || ended.aborted) return resolve();
    aborted.addEventListener('abort', () => resolve(), { once: true });
    ended.addEventListener('abort', () => resolve(), { once: true });
  });
  if (!ended.aborted && !isLeaseLost(aborted.reason)) await pause(graceMs, ended);
  throw isLeaseLost(aborted.reason) ? chunkLeaseLost() : new DomainError('unavailable', 'predict did not end in time.');
}

/** Completes it; a result that cannot be recorded costs its own row and no other. */
async function completeRows(
  inTenant: <Result>(work: (tx: TenantTx) => Promise<Result>) => Promise<Result>,
  { lease, rows }: { readonly lease: ChunkLease; readonly rows: ClaimedChunk['rows'] },
  given: readonly RowResult[],
): Promise<CompletedChunk> {
  const results = [...given];
  for (let refused = 0; ; refused += 1) {
    try {
      return await inTenant((tx) => completeChunk(tx, { lease, rows, results }));
    } catch (error) {
      const index = isDomainError(error, 'invalid_input') ? error.details['index'] : undefined;
      if (typeof index !== 'number' || refused >= REFUSED_ROWS_MAX) throw error;
      results[index] = { error: textOf(error) };
    }
  }
}

/**
 * Tries again while the database is away: what was predicted may have taken hours. A lost lease ends it, and so do rows
 * that a transaction of the tenant's own holds for longer than `graceMs`: the other tenants wait for this worker.
 */
async function persist<Result>(act: () => Promise<Result>, aborted: AbortSignal, graceMs: number): Promise<Result> {
  const began = performance.now();
  let blockedSince: number | undefined;
  for (let tries = 0; ; tries += 1) {
    const triedAt = performance.now();
    try {
      return await act();
    } catch (error) {
      blockedSince = isTenantTimeout(error) ? (blockedSince ?? triedAt) : undefined;
      const again = isDomainError(error) && (error.code === 'unavailable' || error.details['retryable'] === true);
      const isOver = aborted.aborted && (isLeaseLost(aborted.reason) || performance.now() - began > graceMs);
      const isBlocked = blockedSince !== undefined && performance.now() - blockedSince > graceMs;
      if (!again || isOver || isBlocked) throw error;
    }
    await pause(Math.random() * Math.min(5_000, 100 * 2 ** Math.min(tries, 10)), new AbortController().signal);
  }
}

/** A listener that throws must not keep the chunk from being ended. */
export function tell(say: () => void): void {
  try {
    say();
  } catch {
    // It has its own ways to say so.
  }
}

export const codeOf = (error: unknown): string => (isDomainError(error) ? error.code : 'predict_failed');

const textOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
