import { requireFinite, requirePositive, requireProbability } from '../inputs.ts';
import { type Distribution, guarded } from './distribution.ts';
import { standardNormalQuantile } from './normal-quantile.ts';
import { standardNormalTails } from './normal-tails.ts';

const logSqrtTwoPi = 0.9189385332046728;

/**
 * The normal distribution; standard where nothing is given.
 *
 * Tails by Cody (1969), inverses by Wichura (1988, AS 241) with one Newton step: within 1e-14 relative of the standard
 * form, so for x - mean the caller's own difference counts.
 */
export function normal(mean = 0, standardDeviation = 1): Distribution {
  requireFinite('mean', mean);
  requirePositive('standardDeviation', standardDeviation);
  const standard = (x: number) => (x - mean) / standardDeviation;
  return guarded({
    density: (x) => Math.exp(-0.5 * standard(x) ** 2 - logSqrtTwoPi) / standardDeviation,
    cdf: (x) => standardNormalTails(standard(x)).lower,
    sf: (x) => standardNormalTails(standard(x)).upper,
    inverseCdf: (p) => mean + standardDeviation * standardNormalQuantile(requireProbability('p', p)),
    inverseSf: (q) => mean - standardDeviation * standardNormalQuantile(requireProbability('q', q)),
  });
}
