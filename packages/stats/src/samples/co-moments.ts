import { sumOf } from '../arithmetic/compensated-sum.ts';
import { differenceOfProducts } from '../arithmetic/exact.ts';
import { refuseOverflow, requireCount, requireFinite, requireFiniteValues, requireSameLength } from '../inputs.ts';

/** Moments of pairs (x, y), such as a metric before and during an experiment; mergeable. */
export interface CoMoments {
  readonly n: number;
  readonly meanX: number;
  readonly meanY: number;
  /** Σ (x - meanX)^2. */
  readonly m2X: number;
  /** Σ (y - meanY)^2. */
  readonly m2Y: number;
  /** Σ (x - meanX) (y - meanY). */
  readonly cXY: number;
}

/** Sums of pairs, as a warehouse query gives them. */
export interface PairSums {
  readonly n: number;
  readonly sumX: number;
  readonly sumY: number;
  readonly sumSquaresX: number;
  readonly sumSquaresY: number;
  readonly sumProducts: number;
}

const empty: CoMoments = { n: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, cXY: 0 };

/** The co-moments of values, in two passes. Throws `invalid_input` for lengths that differ or values not finite. */
export function coMomentsOf(x: ArrayLike<number>, y: ArrayLike<number>): CoMoments {
  requireSameLength('x', x, 'y', y);
  requireFiniteValues('x', x);
  requireFiniteValues('y', y);
  const n = x.length;
  if (n === 0) return empty;
  const meanOf = (values: ArrayLike<number>) => {
    const first = values[0] ?? 0;
    return first + sumOf(n, (i) => (values[i] ?? 0) - first) / n;
  };
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  const dx = (i: number) => (x[i] ?? 0) - meanX;
  const dy = (i: number) => (y[i] ?? 0) - meanY;
  const product = (a: (i: number) => number, b: (i: number) => number) => sumOf(n, (i) => a(i) * b(i));
  return refuseOverflow({ n, meanX, meanY, m2X: product(dx, dx), m2Y: product(dy, dy), cXY: product(dx, dy) });
}

/**
 * The co-moments behind sums: Σ x y - Σ x Σ y / n, with the products in twice the precision. What the sums themselves
 * lost, by an offset of 1e9, is lost: keep moments where there is a choice.
 */
export function coMomentsOfSums(sums: PairSums): CoMoments {
  const { n, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts } = sums;
  requireCount('n', n);
  for (const [name, value] of Object.entries(sums)) requireFinite(name, value);
  if (n === 0) return empty;
  return refuseOverflow({
    n,
    meanX: sumX / n,
    meanY: sumY / n,
    m2X: Math.max(0, differenceOfProducts(n, sumSquaresX, sumX, sumX) / n),
    m2Y: Math.max(0, differenceOfProducts(n, sumSquaresY, sumY, sumY) / n),
    cXY: differenceOfProducts(n, sumProducts, sumX, sumY) / n,
  });
}

/** The co-moments of the union of samples; associative, as mergeMoments. */
export function mergeCoMoments(parts: readonly CoMoments[]): CoMoments {
  return parts.reduce((a, b) => {
    if (a.n === 0) return b;
    if (b.n === 0) return a;
    const n = a.n + b.n;
    const dx = b.meanX - a.meanX;
    const dy = b.meanY - a.meanY;
    const share = a.n * (b.n / n);
    return {
      n,
      meanX: a.meanX + dx * (b.n / n),
      meanY: a.meanY + dy * (b.n / n),
      m2X: a.m2X + b.m2X + dx * dx * share,
      m2Y: a.m2Y + b.m2Y + dy * dy * share,
      cXY: a.cXY + b.cXY + dx * dy * share,
    };
  }, empty);
}
