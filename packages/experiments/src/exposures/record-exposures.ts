import { DomainError, oncePerKey, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { numberLiteral, textLiteral } from '../array-literal.ts';
import { badItem, parseItem, requireTime } from '../bad-item.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { ExposureInput, isPlainExposure } from './exposure-input.ts';
import { type Pair, pairNotFound, writeExposures } from './write-exposures.ts';

const manyExposures = z.custom<readonly ExposureInput[]>((given) => Array.isArray(given), 'must be an array');

export const RecordExposuresInput = z.strictObject({
  exposures: manyExposures,
  /** The same key and exposures again change nothing, not even how often a unit was exposed. */
  idempotencyKey: z.string().optional(),
});
export type RecordExposuresInput = Readonly<z.input<typeof RecordExposuresInput>>;

export interface RecordedExposures {
  readonly recorded: number;
  /** Of them, units that saw their variant for the first time. */
  readonly newUnits: number;
}

/**
 * Records that units saw variants, all or none, at most `exposuresAtOnce`, in any order of time: of each unit and variant the
 * least and greatest time and the count are kept, and of units that saw several variants how they went between them.
 *
 * One round trip. Locks: rows of the same units and variants, in the order of
 * their keys; the experiments FOR KEY SHARE.
 *
 * @throws DomainError naming the exposure's index: `not_found` for an experiment or variant that does not exist,
 *   `invalid_input` for a value outside the limits, and for times outside of 2000 to 2099 or more than an hour ahead;
 *   `conflict` where the idempotency key was used for other exposures.
 */
export async function recordExposures(tx: TenantTx, input: RecordExposuresInput): Promise<RecordedExposures> {
  const { exposures, idempotencyKey: key } = parseInput(RecordExposuresInput, input);
  const limit = EXPERIMENT_LIMITS.exposuresAtOnce;
  if (exposures.length > limit) {
    throw new DomainError('invalid_input', `exposures must have at most ${limit} items, not ${exposures.length}.`, {
      details: { field: 'exposures', limit, got: exposures.length },
    });
  }
  const checked = exposures.map((given, index) =>
    isPlainExposure(given) ? given : parseItem('exposures', ExposureInput, given, index),
  );
  const request = key === undefined ? null : checked.map((given) => ({ ...given, at: given.at?.getTime() ?? null }));
  return await oncePerKey<RecordedExposures>(tx, { scope: 'experiments.recordExposures', key, request }, () =>
    record(tx, checked),
  );
}

async function record(tx: TenantTx, exposures: readonly ExposureInput[]): Promise<RecordedExposures> {
  if (exposures.length === 0) return { recorded: 0, newUnits: 0 };
  const { pairs, pairOf } = pairsOf(exposures);
  let latest = 0;
  for (const [index, { at }] of exposures.entries()) {
    if (at === undefined) continue;
    requireTime('exposures', index, 'at', at.getTime());
    latest = Math.max(latest, at.getTime());
  }
  const given = sql`
    select pairs.experiments[g.pair] as experiment_id, pairs.variants[g.pair] as variant_id, g.unit,
           coalesce(to_timestamp(g.seconds), app_now())::timestamptz(3) as at, g.slices
      from pairs,
           unnest(${numberLiteral(exposures, pairOf)}::text::int[],
                  ${textLiteral(exposures, ({ unit }) => unit)}::text::text[],
                  ${numberLiteral(exposures, ({ at }) => (at === undefined ? null : at.getTime() / 1_000))}::text::float8[],
                  ${textLiteral(exposures, ({ slices }) => slicesText(slices))}::text::jsonb[])
             as g (pair, unit, seconds, slices)
     where pairs.missing is null
       and ${latest}::float8 <= extract(epoch from app_now()) * 1000 + ${EXPERIMENT_LIMITS.aheadMs}::float8`;
  const written = await writeExposures(tx, pairs, given);
  if (written.nowMs + EXPERIMENT_LIMITS.aheadMs < latest) {
    const index = exposures.findIndex(({ at }) => at?.getTime() === latest);
    throw badItem('exposures', index, 'at', `must be at most ${EXPERIMENT_LIMITS.aheadMs} ms ahead of the clock`);
  }
  if (written.missing !== undefined) {
    const { pair, name } = written.missing;
    const index = exposures.findIndex((exposure) => pairOf(exposure) === pair);
    throw pairNotFound(name, { field: `exposures[${index}].${name}`, index });
  }
  return { recorded: exposures.length, newUnits: written.newUnits };
}

/** Experiments and variants that are named, each pair once, and the number of an exposure's from 1. */
function pairsOf(exposures: readonly ExposureInput[]) {
  const pairs: Pair[] = [];
  const numbers = new Map<string, Map<string, number>>();
  for (const { experiment, variant } of exposures) {
    const variants = numbers.get(experiment) ?? new Map<string, number>();
    numbers.set(experiment, variants);
    if (!variants.has(variant)) variants.set(variant, pairs.push({ experiment, variant }));
  }
  const pairOf = ({ experiment, variant }: ExposureInput) => numbers.get(experiment)?.get(variant) ?? null;
  return { pairs, pairOf };
}

const slicesText = (slices: ExposureInput['slices']) => (slices === undefined ? '{}' : JSON.stringify(slices));
