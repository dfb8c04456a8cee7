import { DomainError, parseInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { key, pairs, paramValue, tagValue } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';

/** Text by key: a record, or a list of { key, value }. */
export const PairsInput = z.custom<PairList | Readonly<Record<string, string>>>(
  (given) => typeof given === 'object' && given !== null,
  'must be a record of texts, or a list of { key, value }',
);
export type PairsInput = z.input<typeof PairsInput>;

type PairList = readonly { readonly key: string; readonly value: string }[];

const pairList = (value: z.ZodType<string, string>) =>
  z.array(z.strictObject({ key, value })).max(TRAINING_LIMITS.pairsAtOnce);

// One schema a form: a union of both could not say what is wrong.
const paramRecord = z.object({ params: pairs(paramValue) });
const paramList = z.object({ params: pairList(paramValue) });
const tagRecord = z.object({ tags: pairs(tagValue) });
const tagList = z.object({ tags: pairList(tagValue) });

/** @throws DomainError `invalid_input` also for a key that comes twice, naming the index of the second. */
export function readParams(params: PairsInput = {}): ReadonlyMap<string, string> {
  if (!Array.isArray(params)) return new Map(Object.entries(parseInput(paramRecord, { params }).params));
  const found = new Map<string, string>();
  for (const [index, pair] of parseInput(paramList, { params }).params.entries()) {
    if (found.has(pair.key)) {
      const field = `params[${index}].key`;
      throw new DomainError('invalid_input', `${field} comes twice in one call.`, { details: { field, index } });
    }
    found.set(pair.key, pair.value);
  }
  return found;
}

/** Of two with one key the last stays. */
export function readTags(tags: PairsInput = {}): ReadonlyMap<string, string> {
  if (!Array.isArray(tags)) return new Map(Object.entries(parseInput(tagRecord, { tags }).tags));
  return new Map(parseInput(tagList, { tags }).tags.map((tag) => [tag.key, tag.value]));
}
