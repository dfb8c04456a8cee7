import { IDEMPOTENCY_LIMITS, jsonInput, nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from './limits.ts';

// What the functions' inputs are made of.

export const runId = z.uuid();
export const runName = nameInput(TRAINING_LIMITS.nameLength);
export const groupName = nameInput(TRAINING_LIMITS.nameLength);

/** Of a param, a tag or a metric. */
export const key = nameInput(TRAINING_LIMITS.keyLength);

/** "" is a value. */
export const paramValue = textInput(TRAINING_LIMITS.paramValueLength);
export const tagValue = textInput(TRAINING_LIMITS.tagValueLength);

/** Text by key, of at most as many pairs as a call may give. */
export const pairs = <Value extends z.ZodType<string, string>>(value: Value) =>
  z
    .record(key, value)
    .refine(
      (given) => Object.keys(given).length <= TRAINING_LIMITS.pairsAtOnce,
      `must have at most ${TRAINING_LIMITS.pairsAtOnce} pairs`,
    );

/** The token that startRun or claimRun gave; not asked for where the run never had a lease. */
export const fencingToken = z.int().min(0).optional();

export const leaseMs = z.int().min(TRAINING_LIMITS.leaseMsMin).max(TRAINING_LIMITS.leaseMs);

export const descriptionText = textInput(TRAINING_LIMITS.descriptionLength);
export const reasonText = textInput(TRAINING_LIMITS.reasonLength);
export const errorText = textInput(TRAINING_LIMITS.errorLength);
export const jsonObject = jsonInput(TRAINING_LIMITS.jsonLength);

/** Made by the client, one for each thing that it wants done. */
export const idempotencyKey = nameInput(IDEMPOTENCY_LIMITS.keyLength).optional();
