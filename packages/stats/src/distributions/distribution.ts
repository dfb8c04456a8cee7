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

/** Both tails at one point. */
export interface Tails {
  readonly lower: number;
  readonly upper: number;
}
