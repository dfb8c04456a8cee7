import { sumOf } from '../arithmetic/compensated-sum.ts';
import { refuseOverflow, requireFiniteValues } from '../inputs.ts';
import { type Outcome, ratio, undefinedBecause } from '../outcome.ts';

/** Count, mean and sum of squared deviations of a sample: what can be stored for a day and merged with other days. */
export interface Moments {
  readonly n: number;
  /** 0 for an empty sample. */
  readonly mean: number;
  /** Σ (x - mean)^2. */
  readonly m2: number;
}

/** Moments with the sums of third and fourth powers of the deviations. */
export interface HigherMoments extends Moments {
  readonly m3: number;
  readonly m4: number;
}

const empty: HigherMoments = { n: 0, mean: 0, m2: 0, m3: 0, m4: 0 };

/**
 * The moments of values, in two passes, so that an offset of 1e9 costs no digits of the variance.
 *
 * Throws `invalid_input` for a value that is not finite, and where a fourth power is not, from some 1e77 on.
 */
export function momentsOf(values: ArrayLike<number>): HigherMoments {
  requireFiniteValues('values', values);
  const n = values.length;
  if (n === 0) return empty;
  const first = values[0] ?? 0;
  const mean = first + sumOf(n, (i) => (values[i] ?? 0) - first) / n;
  const powers = (power: number) => sumOf(n, (i) => ((values[i] ?? 0) - mean) ** power);
  const m1 = powers(1);
  return refuseOverflow({ n, mean, m2: Math.max(0, powers(2) - (m1 * m1) / n), m3: powers(3), m4: powers(4) });
}

/** The moments of the union of samples; associative, by Chan, Golub and LeVeque (1979). Not made for subtraction. */
export function mergeMoments(parts: readonly Moments[]): Moments {
  let { n, mean, m2 }: Moments = empty;
  for (const part of parts) {
    const total = n + part.n;
    if (total === 0) continue;
    const delta = part.mean - mean;
    m2 += part.m2 + delta * delta * n * (part.n / total);
    mean = n === 0 ? part.mean : mean + delta * (part.n / total);
    n = total;
  }
  return { n, mean, m2 };
}

/** As mergeMoments, with third and fourth powers, by Pébay (2008), SAND2008-6212, equations 2.1. */
export function mergeHigherMoments(parts: readonly HigherMoments[]): HigherMoments {
  return parts.reduce(mergeTwo, empty);
}

function mergeTwo(a: HigherMoments, b: HigherMoments): HigherMoments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  const step = delta / n;
  const both = a.n * b.n;
  return {
    n,
    mean: a.mean + step * b.n,
    m2: a.m2 + b.m2 + delta * step * both,
    m3: a.m3 + b.m3 + delta * step * step * both * (a.n - b.n) + 3 * step * (a.n * b.m2 - b.n * a.m2),
    m4:
      a.m4 +
      b.m4 +
      delta * step ** 3 * both * (a.n * a.n - both + b.n * b.n) +
      6 * step * step * (a.n * a.n * b.m2 + b.n * b.n * a.m2) +
      4 * step * (a.n * b.m3 - b.n * a.m3),
  };
}

/** m2 / (n - 1); undefined below 2 values. */
export function sampleVariance({ n, m2 }: Moments): Outcome {
  return n < 2 ? undefinedBecause('A variance needs two values.') : ratio(m2, n - 1, '');
}

/** g1 = √n m3 / m2^1.5, without correction for bias; undefined where all values are equal. */
export function skewness({ n, m2, m3 }: HigherMoments): Outcome {
  return ratio(Math.sqrt(n) * m3, m2 ** 1.5, 'All values are equal, or there are none.');
}

/** g2 = n m4 / m2^2 - 3, without correction for bias; undefined where all values are equal. */
export function excessKurtosis({ n, m2, m4 }: HigherMoments): Outcome {
  return ratio(n * m4 - 3 * m2 * m2, m2 * m2, 'All values are equal, or there are none.');
}
