import { StatsError } from '../errors.ts';

/** A continuous distribution, or a discrete one on the integers. */
export interface Distribution {
  /** The density at x, or the probability of x where the distribution is discrete. */
  readonly density: (x: number) => number;
  /** P(X <= x). */
  readonly cdf: (x: number) => number;
  /** P(X > x), with its full relative precision in the tail: never computed as 1 - cdf where that is small. */
  readonly sf: (x: number) => number;
  /** The smallest x with P(X <= x) >= p. Throws `invalid_input` unless p is in [0, 1]. */
  readonly inverseCdf: (p: number) => number;
  /** The smallest x with P(X > x) <= q: use it for small q, since 1 - q is then not a number. As inverseCdf. */
  readonly inverseSf: (q: number) => number;
}

/** The function, but that it throws `invalid_input` for NaN, at which no series and no fraction would end. */
export function refusingNaN(of: (x: number) => number): (x: number) => number {
  return (x) => {
    if (Number.isNaN(x))
      throw new StatsError('A distribution has no value at NaN. Drop or impute missing values first.');
    return of(x);
  };
}

/** The distribution with functions of x that refuse NaN. */
export function guarded({ density, cdf, sf, inverseCdf, inverseSf }: Distribution): Distribution {
  return { density: refusingNaN(density), cdf: refusingNaN(cdf), sf: refusingNaN(sf), inverseCdf, inverseSf };
}

/** Both tails at one point. */
export interface Tails {
  readonly lower: number;
  readonly upper: number;
}
