import { normal } from '../distributions/normal.ts';
import { StatsError } from '../errors.ts';
import { refuseOverflow, requireFinite, requireOpenProbability, requirePositive } from '../inputs.ts';

interface TwoMeans {
  /** The difference of means that is to be found. */
  readonly difference: number;
  /** Of one unit, in both arms. */
  readonly standardDeviation: number;
  /** Two-sided; default 0.05. */
  readonly alpha?: number;
}

/** The power of a two-sided z test of two means with `n` units an arm: Φ(|δ| / (σ √(2/n)) - z), z of alpha/2. */
export function powerOfTwoMeans({ n, ...input }: TwoMeans & { readonly n: number }): number {
  requirePositive('n', n);
  const { distance, z } = parts(input);
  return normal().cdf(distance * Math.sqrt(n / 2) - z);
}

/** Units an arm, not rounded up, for a power: 2 ((z + z_power) σ / δ)². */
export function sampleSizeOfTwoMeans({ power, ...input }: TwoMeans & { readonly power: number }): number {
  const { distance, z } = parts(input);
  const needed = z + normal().inverseCdf(requireOpenProbability('power', power));
  if (needed <= 0) throw new StatsError('power must exceed what no unit at all has; give a larger power.');
  return refuseOverflow({ n: 2 * (needed / distance) ** 2 }).n;
}

function parts({ difference, standardDeviation, alpha = 0.05 }: TwoMeans) {
  requireFinite('difference', difference);
  requirePositive('standardDeviation', standardDeviation);
  if (difference === 0) throw new StatsError('difference must not be 0: no sample finds it.');
  const z = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  return { distance: Math.abs(difference) / standardDeviation, z };
}
