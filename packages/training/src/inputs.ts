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

/**
 * A record of at most `most` keys, by default any number. Looked at before its values are: zod leaves a key `__proto__`
 * out without a word, and takes seconds for a million keys that are too many anyway.
 */
export const recordOf = <Values extends Readonly<Record<string, unknown>>>(
  record: z.ZodType<Values, Values>,
  most = Number.POSITIVE_INFINITY,
) =>
  z.preprocess((given, context) => {
    if (typeof given !== 'object' || given === null) return given;
    const fault = Object.hasOwn(given, '__proto__')
      ? 'must not have the key __proto__, which records lose'
      : Object.keys(given).length > most && `must have at most ${most} pairs`;
    if (fault !== false) context.addIssue(fault);
    return given;
  }, record) as z.ZodType<Values, Values>;

/** Text by key, of at most as many pairs as a call may give. */
export const pairs = (value: z.ZodType<string, string>) => recordOf(z.record(key, value), TRAINING_LIMITS.pairsAtOnce);

const FIRST_TIME = Date.parse('0100-01-01T00:00:00Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/** The server's text of an earlier year is read as one of the last century. */
export const isStorableTime = (at: Date): boolean => at.getTime() >= FIRST_TIME && at.getTime() <= LAST_TIME;
export const storableTime = z.date().refine(isStorableTime, 'must be of the years 100 to 9999');

/** The token that startRun or claimRun gave; not asked for where the run never had a lease. */
export const fencingToken = z.int().min(0).optional();

export const leaseMs = z.int().min(TRAINING_LIMITS.leaseMsMin).max(TRAINING_LIMITS.leaseMs);

export const descriptionText = textInput(TRAINING_LIMITS.descriptionLength);
export const reasonText = textInput(TRAINING_LIMITS.reasonLength);
export const errorText = textInput(TRAINING_LIMITS.errorLength);
export const jsonObject = recordOf(jsonInput(TRAINING_LIMITS.jsonLength));

/** Made by the client, one for each thing that it wants done. */
export const idempotencyKey = nameInput(IDEMPOTENCY_LIMITS.keyLength).optional();
