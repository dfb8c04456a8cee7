import type { Logger } from '@mcp-hub/db-core';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import type { TakenPrediction } from './queued-prediction.ts';

/** A prediction that will not be written, and why. */
export interface RejectedPrediction {
  readonly prediction: TakenPrediction;
  readonly error: unknown;
}

const callback = <Form>() => z.custom<Form>((value) => typeof value === 'function', 'must be a function');

export const PredictionWriterOptions = z.strictObject({
  /** Is handed each prediction of enqueue that will not be written: one outside the limits that only the ledger knows. */
  onRejected: callback<(rejected: RejectedPrediction) => void>(),
  /** Predictions that are taken and not yet written, at the most. Default 10,000. */
  maxRows: z.int().min(1).max(PREDICTION_LIMITS.writerRows).optional(),
  /** About what they take in memory together. Default 64,000,000. */
  maxBytes: z.int().min(1).max(PREDICTION_LIMITS.writerBytes).optional(),
  /** Written at once when so many wait, and so many at a time. Default 1,000. */
  flushRows: z.int().min(1).max(PREDICTION_LIMITS.writerFlushRows).optional(),
  /** The same by what they take. Default 8,000,000. */
  flushBytes: z.int().min(1).max(PREDICTION_LIMITS.writerBytes).optional(),
  /** How long one that was enqueued may wait for others. Default 100. */
  flushMs: z.int().min(0).max(PREDICTION_LIMITS.writerFlushMs).optional(),
  /** The pause after the first failure, doubled after each more, with up to half of it taken off at random. Default 50. */
  retryMs: z.int().min(1).max(PREDICTION_LIMITS.writerRetryMs).optional(),
  /** The longest pause. Default 5,000. */
  retryMaxMs: z.int().min(1).max(PREDICTION_LIMITS.writerRetryMs).optional(),
  /** The time of predictions that say none, and what `app_now()` answers. Default: this process's clock, and the database's. */
  now: callback<() => Date>().optional(),
  /** Calls `work` after `ms`, and gives what calls it off. Default: a timer that does not keep the process alive. */
  after: callback<(ms: number, work: () => void) => () => void>().optional(),
  logger: z.custom<Logger>((value) => typeof value === 'object' && value !== null, 'must be a logger').optional(),
});
export type PredictionWriterOptions = Readonly<z.input<typeof PredictionWriterOptions>>;

export const CloseWriterInput = z.strictObject({
  /** How long to go on writing what is there. Default 10,000. */
  timeoutMs: z.int().min(0).max(PREDICTION_LIMITS.writerCloseMs).optional(),
});
export type CloseWriterInput = Readonly<z.input<typeof CloseWriterInput>>;
