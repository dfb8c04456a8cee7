import { logGammaRise } from '../arithmetic/log-gamma.ts';
import { requirePositive } from '../inputs.ts';
import { type Distribution, guarded, type Tails } from './distribution.ts';
import { type BetaPoint, betaDensityPart, incompleteBeta } from './incomplete-beta.ts';
import { invert, positiveLine } from './invert.ts';

/**
 * Student's t distribution with `df` degrees of freedom, which need not be an integer.
 *
 * The tail beyond |t| is I_x(df/2, 1/2) / 2 with x = df / (df + t^2) (DLMF 8.17, Abramowitz and Stegun 26.7.1).
 * Relative error below 1e-12 for df in [1e-3, 1e6], in tails down to 1e-300. Throws `invalid_input` unless df > 0.
 */
export function studentT(df: number): Distribution {
  requirePositive('df', df);
  const [a, b] = [df / 2, 0.5];
  const tails = (t: number): Tails => {
    const tail = isFar(df, t) ? farTail(df, Math.abs(t)) : incompleteBeta(a, b, pointOf(df, t)).lower / 2;
    return t > 0 ? { lower: 1 - tail, upper: tail } : { lower: tail, upper: 1 - tail };
  };
  const density = (t: number) => {
    if (t === 0) return betaDensityPart(a, b, pointOf(df, 1)) * ((1 + 1 / df) ** (a + b) / Math.sqrt(df));
    if (isFar(df, t)) return (df * farTail(df, Math.abs(t))) / Math.abs(t);
    const point = pointOf(df, t);
    // dx = -2 x y dt / t, and half of it belongs to each side.
    return betaDensityPart(a, b, point) / Math.abs(t);
  };
  const cdf = (t: number) => tails(t).lower;
  const sf = (t: number) => tails(t).upper;
  const upper = invert({ density, cdf, sf }, positiveLine(1), [0, Infinity]);
  const beyond = (q: number) => (q === 0.5 ? 0 : upper.inverseSf(q));
  const inverseSf = (q: number) => (q > 0.5 ? -beyond(1 - q) : beyond(q));
  return guarded({
    density,
    cdf,
    sf,
    inverseCdf: (p) => (p > 0.5 ? beyond(1 - p) : -beyond(p) + 0),
    inverseSf,
  });
}

/** x, y and a y - b x of I_x(df/2, 1/2), from t itself, which knows them better than x would. */
function pointOf(df: number, t: number): BetaPoint {
  const square = t * t;
  const total = df + square;
  return { x: df / total, y: square / total, excess: (df / 2) * ((square - 1) / total) };
}

/** Where df / t^2 is too small for a normal number. */
function isFar(df: number, t: number): boolean {
  return t * t > 1e290 * df;
}

/** The tail there: x^a / (a B(a, 1/2)) / 2 with a = df/2 and x = df / t^2. */
function farTail(df: number, t: number): number {
  const a = df / 2;
  const logX = Math.log(df) - 2 * Math.log(t);
  return t === Infinity ? 0 : Math.exp(a * logX + logGammaRise(a, 0.5)) / (2 * a * Math.sqrt(Math.PI));
}
