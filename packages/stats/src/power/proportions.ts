import { normal } from '../distributions/normal.ts';
import { StatsError } from '../errors.ts';
import { requireOpenProbability, requirePositive, requireProbability } from '../inputs.ts';

interface TwoProportions {
  readonly p1: number;
  readonly p2: number;
  /** Two-sided; default 0.05. */
  readonly alpha?: number;
}

/**
 * The power of the two-sided z test of two proportions with `n` trials an arm, without the chance of the wrong side.
 *
 * Φ((√n |p1 - p2| - z √(2 p̄ q̄)) / √(p1 q1 + p2 q2)) with z of alpha/2, as R's power.prop.test.
 */
export function powerOfTwoProportions({ n, ...input }: TwoProportions & { readonly n: number }): number {
  requirePositive('n', n);
  const { distance, pooled, apart, z } = parts(input);
  return normal().cdf((Math.sqrt(n) * distance - z * pooled) / apart);
}

/** Trials an arm, not rounded up, for a power: ((z √(2 p̄ q̄) + z_power √(p1 q1 + p2 q2)) / (p1 - p2))². */
export function sampleSizeOfTwoProportions({ power, ...input }: TwoProportions & { readonly power: number }): number {
  const { distance, pooled, apart, z } = parts(input);
  const needed = z * pooled + normal().inverseCdf(requireOpenProbability('power', power)) * apart;
  if (needed <= 0) throw new StatsError('power must exceed what no trial at all has; give a larger power.');
  return (needed / distance) ** 2;
}

function parts({ p1, p2, alpha = 0.05 }: TwoProportions) {
  requireProbability('p1', p1);
  requireProbability('p2', p2);
  if (p1 === p2) throw new StatsError('p1 and p2 must differ: no sample tells equal proportions apart.');
  const mean = (p1 + p2) / 2;
  return {
    distance: Math.abs(p1 - p2),
    pooled: Math.sqrt(2 * mean * (1 - mean)),
    apart: Math.sqrt(p1 * (1 - p1) + p2 * (1 - p2)),
    z: normal().inverseSf(requireOpenProbability('alpha', alpha) / 2),
  };
}
