import { sumOf } from '../arithmetic/compensated-sum.ts';
import { logGap } from '../arithmetic/log-gap.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { type CountPair, type SharePair, sharesOf } from './frequencies.ts';

/**
 * What an empty bin counts as in logarithms: `none` leaves it, `evidently` takes 1e-4 of a share, or a millionth of the
 * smallest share of its side where that is 1e-4 or less, without bringing the shares back to one.
 */
export type ZeroFill = 'none' | 'evidently';

/**
 * Population stability index: Σ (r - c) ln(r / c) over the shares, at least 0.
 *
 * A bin empty on both sides does not count. Undefined where a side is empty, and with `none` where one side of a bin is.
 * Fixed limits such as 0.1 are not calibrated: without drift it is about (1/n + 1/m) χ² of bins - 1.
 */
export function populationStability(counts: CountPair, fill: ZeroFill = 'none'): Outcome {
  return logarithmic(counts, fill, (r, c) => (r - c) * Math.log(r / c));
}

/** Kullback and Leibler's divergence of the reference from the current shares: Σ r ln(r / c). As populationStability. */
export function kullbackLeibler(counts: CountPair, fill: ZeroFill = 'none'): Outcome {
  return logarithmic(counts, fill, (r, c) => (r === 0 ? 0 : r * Math.log(r / c)));
}

function logarithmic(counts: CountPair, fill: ZeroFill, term: (r: number, c: number) => number): Outcome {
  const shares = sharesOf(counts);
  if (shares.value === null) return shares;
  const used = withoutUnused(shares.value);
  const [reference, current] =
    fill === 'none' ? [used.reference, used.current] : [filled(used.reference), filled(used.current)];
  const total = sumOf(reference.length, (i) => term(reference[i] ?? 0, current[i] ?? 0));
  if (!Number.isFinite(total))
    return undefinedBecause('A bin is empty on one side only, so that the value is infinite.');
  return defined(Math.max(0, total));
}

function withoutUnused({ reference, current }: SharePair): SharePair {
  const used = (_: number, i: number) => (reference[i] ?? 0) > 0 || (current[i] ?? 0) > 0;
  return { reference: reference.filter(used), current: current.filter(used) };
}

function filled(shares: readonly number[]): readonly number[] {
  const least = Math.min(...shares.filter((share) => share > 0));
  const fill = least > 1e-4 ? 1e-4 : least / 1e6;
  return shares.map((share) => (share === 0 ? fill : share));
}

/** Jensen and Shannon's divergence in nats, and its root, which is a distance: scipy's and Evidently's is the root. */
export interface JensenShannon {
  /** At most ln 2. */
  readonly divergence: number;
  /** √divergence. */
  readonly distance: number;
  /** √(divergence / ln 2), from 0 to 1. */
  readonly distanceBase2: number;
}

/**
 * Jensen and Shannon's divergence: the mean of the divergences of both sides from their middle. Empty bins need no fill.
 *
 * Undefined where a side is empty.
 */
export function jensenShannon(counts: CountPair): Outcome<JensenShannon> {
  const shares = sharesOf(counts);
  if (shares.value === null) return shares;
  const { reference, current } = shares.value;
  // r ln(r/m) + m - r by logGap: at least 0 a bin, and precise where the sides are nearly alike.
  const part = (share: number, middle: number) =>
    share === 0 ? middle : share * logGap((middle - share) / share, middle / share);
  const twice = sumOf(reference.length, (i) => {
    const [r, c] = [reference[i] ?? 0, current[i] ?? 0];
    const middle = (r + c) / 2;
    return middle === 0 ? 0 : part(r, middle) + part(c, middle);
  });
  const divergence = Math.min(Math.LN2, twice / 2);
  return defined({
    divergence,
    distance: Math.sqrt(divergence),
    distanceBase2: Math.sqrt(divergence / Math.LN2),
  });
}

/** Hellinger's distance √(Σ (√r - √c)² / 2), from 0 to 1. Undefined where a side is empty. */
export function hellinger(counts: CountPair): Outcome {
  return overShares(counts, ({ reference, current }) =>
    Math.min(
      1,
      Math.sqrt(sumOf(reference.length, (i) => (Math.sqrt(reference[i] ?? 0) - Math.sqrt(current[i] ?? 0)) ** 2) / 2),
    ),
  );
}

/** Total variation Σ |r - c| / 2, from 0 to 1. Undefined where a side is empty. */
export function totalVariation(counts: CountPair): Outcome {
  return overShares(counts, ({ reference, current }) =>
    Math.min(1, sumOf(reference.length, (i) => Math.abs((reference[i] ?? 0) - (current[i] ?? 0))) / 2),
  );
}

/** The largest |r - c| of a category. Undefined where a side is empty. */
export function largestShift(counts: CountPair): Outcome {
  return overShares(counts, ({ reference, current }) =>
    reference.reduce((most, r, i) => Math.max(most, Math.abs(r - (current[i] ?? 0))), 0),
  );
}

function overShares(counts: CountPair, distance: (shares: SharePair) => number): Outcome {
  const shares = sharesOf(counts);
  return shares.value === null ? shares : defined(distance(shares.value));
}
