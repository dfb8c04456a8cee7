import { requirePositive } from '../inputs.ts';
import { type Distribution, guarded } from './distribution.ts';
import { type BetaPoint, betaDensityPart, incompleteBeta } from './incomplete-beta.ts';
import { invert, positiveLine } from './invert.ts';

/**
 * Fisher's F distribution with `df1` degrees of freedom above and `df2` below, which need not be integers.
 *
 * I_x(df1/2, df2/2) with x = df1 f / (df1 f + df2) (Abramowitz and Stegun 26.6.2). Relative error below 1e-12 for both
 * in [1e-3, 1e6], in tails down to 1e-300. Throws `invalid_input` unless both are above 0.
 */
export function fisherF(df1: number, df2: number): Distribution {
  requirePositive('df1', df1);
  requirePositive('df2', df2);
  const [a, b] = [df1 / 2, df2 / 2];
  const pointOf = (f: number): BetaPoint => {
    const total = df1 * f + df2;
    if (total === Infinity) return { x: 1, y: df2 / df1 / f, excess: -b };
    return { x: (df1 * f) / total, y: df2 / total, excess: (df1 / 2) * (df2 / total) * (1 - f) };
  };
  const density = (f: number) => {
    if (f < 0) return 0;
    if (f === 0) return df1 < 2 ? Infinity : df1 === 2 ? 1 : 0;
    return betaDensityPart(a, b, pointOf(f)) / f;
  };
  const cdf = (f: number) => (f > 0 ? incompleteBeta(a, b, pointOf(f)).lower : 0);
  const sf = (f: number) => (f > 0 ? incompleteBeta(a, b, pointOf(f)).upper : 1);
  return guarded({ density, cdf, sf, ...invert({ density, cdf, sf }, positiveLine(1), [0, Infinity]) });
}
