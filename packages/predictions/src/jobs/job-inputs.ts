import { IDEMPOTENCY_LIMITS, nameInput, textInput } from '@mcp-hub/db-core';
import { versionSubject } from '@mcp-hub/registry';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';

// What the inputs of jobs are made of.

export const jobId = z.uuid();
export const reasonText = textInput(PREDICTION_LIMITS.reasonLength);
export const maxRunningChunks = z.int().min(1).max(PREDICTION_LIMITS.runningChunks);
export const leaseMs = z.int().min(PREDICTION_LIMITS.leaseMsMin).max(PREDICTION_LIMITS.leaseMs);

/** A job without its rows. */
export const jobShape = {
  ...versionSubject,
  /** For people; any number of jobs may have the same. */
  jobName: nameInput(PREDICTION_LIMITS.jobNameLength),
  /** The higher comes first among the tenant's jobs. Default 0. */
  priority: z.int().min(-PREDICTION_LIMITS.priority).max(PREDICTION_LIMITS.priority).optional(),
  /** Rows that are predicted at once. Default 500; a chunk whose rows are large has fewer. */
  chunkRows: z.int().min(1).max(PREDICTION_LIMITS.chunkRows).optional(),
  /** Chunks of this job that are worked on at a time. Default: no cap. */
  maxRunningChunks: maxRunningChunks.optional(),
  /** Attempts of a chunk, after which its rows are dead letters. Default 5. */
  maxAttempts: z.int().min(1).max(PREDICTION_LIMITS.attempts).optional(),
  /** The next attempt is due after a random part of min(maxMs, baseMs * 2^(attempts - 1)). Default 1 s and 5 min. */
  backoff: z
    .strictObject({
      baseMs: z.int().min(1).max(PREDICTION_LIMITS.leaseMs).optional(),
      maxMs: z.int().min(1).max(PREDICTION_LIMITS.leaseMs).optional(),
    })
    .optional(),
  /** Made by the client, one for each job that it wants. */
  idempotencyKey: nameInput(IDEMPOTENCY_LIMITS.keyLength).optional(),
};
