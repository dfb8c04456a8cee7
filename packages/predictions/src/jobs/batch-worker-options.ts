import type { Id, Logger } from '@mcp-hub/db-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import type { BatchProgress } from './batch-progress.ts';
import type { BatchRow } from './batch-row.ts';
import type { RowResult } from './complete-chunk.ts';
import { leaseMs } from './job-inputs.ts';
import type { BatchJobStatus } from './schema.ts';

/** A chunk, as predict gets it. */
export interface BatchToPredict {
  readonly tenant: string;
  readonly jobId: Id<'BatchJob'>;
  readonly jobName: string;
  readonly versionId: Id<'ModelVersion'>;
  readonly chunkNumber: number;
  /** Claims of the chunk, this one among them. */
  readonly attempt: number;
  readonly rows: readonly BatchRow[];
  /**
   * Aborts when the worker is to stop, the job is paused or cancelled, or the chunk was given to another worker. What throws
   * then is no failed attempt, and what returns results nevertheless is recorded where the chunk is still held.
   */
  readonly signal: AbortSignal;
}

/** Gives one result for each row, in their order. What it throws is a failed attempt of the chunk. */
export type PredictBatch = (batch: BatchToPredict) => Promise<readonly RowResult[]> | readonly RowResult[];

export interface BatchProgressEvent {
  readonly tenant: string;
  readonly jobId: Id<'BatchJob'>;
  readonly jobName: string;
  readonly status: BatchJobStatus;
  readonly progress: BatchProgress;
}

const callback = <Function>() => z.custom<Function>((given) => typeof given === 'function', 'must be a function');
const milliseconds = z.int().min(1).max(PREDICTION_LIMITS.leaseMs);

export const BatchWorkerOptions = z
  .strictObject({
    predict: callback<PredictBatch>(),
    /** Stops: nothing more is claimed, predict hears of it by its own signal, and the chunks in hand are completed or released. */
    signal: z.instanceof(AbortSignal),
    /** Chunks that are predicted at a time in this process. Default 1. */
    concurrency: z.int().min(1).max(PREDICTION_LIMITS.workerConcurrency).optional(),
    /** Default: all that have work, as app_dispatcher sees it. */
    tenants: z.array(z.string()).min(1).readonly().optional(),
    /** Ends when none of `tenants` has a job that waits or runs, in whichever process. */
    stopWhenDone: z.boolean().optional(),
    /** How long a chunk of a crashed worker is kept from others; renewed while predict runs. Default 60,000. */
    leaseMs: leaseMs.optional(),
    /** Pause between looks that found nothing, and how late work of another tenant is found. Default 1,000. */
    idleMs: milliseconds.optional(),
    /** How often the worker looks whether a job in hand was paused or cancelled. Default 2,000, at most a third of leaseMs. */
    watchMs: milliseconds.optional(),
    /** How long predict may go on when the worker is to stop; then its chunks are released without it. Default 20,000. */
    graceMs: milliseconds.optional(),
    /** Events of one job come at most so often, but for its end. Default 1,000. */
    progressMs: milliseconds.optional(),
    onProgress: callback<(event: BatchProgressEvent) => void>().optional(),
    /** Hears what predict threw; the chunk keeps the text. */
    onError: callback<(error: unknown, batch: Omit<BatchToPredict, 'rows' | 'signal'>) => void>().optional(),
    /** For the rows of the jobs' histories. */
    actor: z.string().optional(),
    /** Hears of failures by their codes; of no value. */
    logger: z.custom<Logger>((given) => typeof given === 'object' && given !== null, 'must be a logger').optional(),
  })
  .refine(({ tenants, stopWhenDone }) => stopWhenDone !== true || tenants !== undefined, {
    path: ['stopWhenDone'],
    error: 'needs tenants: a worker of all tenants is never done',
  });
export type BatchWorkerOptions = Readonly<z.input<typeof BatchWorkerOptions>>;

/** How chunks ended for a worker. */
export type ChunkOutcome = 'completed' | 'failed' | 'dead' | 'released' | 'lost';

export type BatchWorkerReport = Readonly<Record<ChunkOutcome, number>> & {
  /** Rows that this worker recorded a prediction of. */
  readonly rows: number;
};
