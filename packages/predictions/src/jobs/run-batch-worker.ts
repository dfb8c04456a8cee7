import { type Database, isDomainError, parseInput, pause, readOne } from '@mcp-hub/db-core';
import { BatchWorkerOptions, type BatchWorkerReport, type ChunkOutcome } from './batch-worker-options.ts';
import { DEFAULT_LEASE_MS } from './chunk-lease.ts';
import { findBatchJob } from './get-batch-job.ts';
import { codeOf, predictChunk, tell } from './predict-chunk.ts';
import { type Turn, tenantTurns } from './tenant-turns.ts';

const LONGEST_PAUSE_MS = 10_000;

/**
 * Predicts batch jobs with a user's function until `signal` aborts, or, with `stopWhenDone`, nothing is left: claims a
 * chunk, has it predicted, holds its lease meanwhile, and records its predictions with its end. No transaction is open
 * while predict runs. Any number of processes may work on the same jobs.
 *
 * Fair: tenants that have work take turns, one chunk each, however much each of them has. Within a tenant the job of the
 * highest priority comes first, then the oldest.
 *
 * A chunk whose predict throws is tried again after its job's back-off; a row whose result is an error, or cannot be
 * recorded, is a dead letter, and the others of its chunk are not concerned. Where the database is away the worker waits
 * for it, and what was predicted is recorded when it is back.
 *
 * @throws DomainError `invalid_input` for the options, `permission_denied` where the login is no member of app_dispatcher
 *   and no tenants are given.
 */
export async function runBatchWorker(db: Database, options: BatchWorkerOptions): Promise<BatchWorkerReport> {
  const given = parseInput(BatchWorkerOptions, options);
  const { signal, concurrency = 1, leaseMs = DEFAULT_LEASE_MS, idleMs = 1_000, logger } = given;
  const { watchMs = 2_000, graceMs = 20_000, progressMs = 1_000, onProgress } = given;
  const turns = tenantTurns(db, { ...given, leaseMs, idleMs });
  const ended: Record<ChunkOutcome, number> & { rows: number } = {
    ...{ completed: 0, failed: 0, dead: 0, released: 0, lost: 0, rows: 0 },
  };
  const running = new Set<Promise<void>>();
  const toldAt = new Map<string, number>();

  /** Jobs that this worker has told of, and not that they ended: another may end them, or the claim that finds nothing left. */
  const untold = new Map<string, Turn>();

  const report = async (turn: Turn, isForced: boolean) => {
    if (onProgress === undefined) return;
    const { tenant, chunk } = turn;
    const { jobId } = chunk.lease;
    const now = performance.now();
    untold.set(jobId, turn);
    if (!isForced && now - (toldAt.get(jobId) ?? Number.NEGATIVE_INFINITY) < progressMs) return;
    toldAt.set(jobId, now);
    try {
      const job = await readOne(db, tenant, (tx) => findBatchJob(tx, { jobId }));
      const isOver = job === undefined || job.endedAt !== null;
      if (isOver) toldAt.delete(jobId);
      // Of two reports at the same time one tells of the end.
      const isNews = isOver ? untold.delete(jobId) : true;
      if (job === undefined || !isNews) return;
      const { id, name: jobName, status, progress } = job;
      tell(() => onProgress({ tenant, jobId: id, jobName, status, progress }));
    } catch (error) {
      logger?.warn({ tenant, jobId, code: codeOf(error) }, 'the progress of a job could not be read');
    }
  };
  const reportUntold = async (isForced: boolean) => {
    for (const turn of [...untold.values()]) await report(turn, isForced);
  };

  const start = (turn: Turn) => {
    const work = async () => {
      const { outcome, completed } = await predictChunk(db, turn.tenant, turn.chunk, {
        ...given,
        ...{ leaseMs, watchMs, graceMs },
      });
      ended[outcome] += 1;
      ended.rows += completed?.rowsSucceeded ?? 0;
      turns.ended(turn.tenant);
      const status = completed?.jobStatus;
      if (completed !== undefined || outcome === 'dead') {
        await report(turn, outcome === 'dead' || status === 'succeeded' || status === 'failed');
      }
    };
    const run: Promise<void> = work().finally(() => running.delete(run));
    running.add(run);
  };

  try {
    for (let failures = 0; !signal.aborted; ) {
      while (running.size >= concurrency) await Promise.race(running);
      if (signal.aborted) break;
      try {
        const turn = await turns.next();
        failures = 0;
        if (turn !== undefined) start(turn);
        else if (given.stopWhenDone === true && running.size === 0 && turns.allDone()) break;
        else {
          await reportUntold(false);
          await nap(idleMs, signal, running);
        }
      } catch (error) {
        if (!isDomainError(error, 'unavailable')) throw error;
        const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(failures, 20));
        failures += 1;
        logger?.warn({ code: error.code, failures, pauseMs }, 'the worker could not claim and will try again');
        await pause(pauseMs, signal);
      }
    }
  } finally {
    await Promise.all(running);
  }
  await reportUntold(true);
  return ended;
}

/** Ends early when a chunk ends, which may make room under a cap. */
async function nap(ms: number, signal: AbortSignal, running: ReadonlySet<Promise<void>>): Promise<void> {
  const awake = new AbortController();
  const wake = () => awake.abort();
  if (signal.aborted) wake();
  signal.addEventListener('abort', wake);
  await Promise.race([pause(ms, awake.signal), ...running]);
  signal.removeEventListener('abort', wake);
  wake();
}
