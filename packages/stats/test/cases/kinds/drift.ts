import {
  alignCounts,
  type CountPair,
  deviationThreshold,
  energyDistance,
  excessKurtosis,
  type HigherMoments,
  hellinger,
  jensenShannon,
  largestShift,
  type Moments,
  mergeHigherMoments,
  mergeMoments,
  momentsOf,
  normedWasserstein,
  populationStability,
  sampleVariance,
  skewness,
  totalVariation,
  type WeightedValues,
  wasserstein,
  type ZeroFill,
} from '../../../src/index.ts';
import { plain, shaped } from './plain.ts';

type CaseCounts = readonly number[] | Readonly<Record<string, number>>;
interface Counts {
  readonly reference_counts: CaseCounts;
  readonly current_counts: CaseCounts;
}
interface Samples {
  readonly u: readonly number[];
  readonly v: readonly number[];
  readonly u_weights?: readonly number[];
  readonly v_weights?: readonly number[];
}

/** Counts by position or by category. */
const countsOf = ({ reference_counts: reference, current_counts: current }: Counts): CountPair =>
  alignCounts(Object.fromEntries(Object.entries(reference)), Object.fromEntries(Object.entries(current)));
const weighted = (values: readonly number[], weights?: readonly number[]): WeightedValues =>
  weights === undefined ? { values } : { values, weights };
const samplesOf = ({ u, v, u_weights, v_weights }: Samples) =>
  [weighted(u, u_weights), weighted(v, v_weights)] as const;

export const driftKinds = {
  drift_psi: ({ zero_fill = 'none', ...counts }: Counts & { zero_fill?: ZeroFill }) => ({
    psi: plain(populationStability(countsOf(counts), zero_fill)),
  }),
  drift_jensen_shannon: (counts: Counts) =>
    shaped(jensenShannon(countsOf(counts)), ({ distance, distanceBase2, divergence }) => ({
      distance_base_e: distance,
      distance_base_2: distanceBase2,
      divergence_base_e: divergence,
    })),
  drift_hellinger_categorical: (counts: Counts) => ({ hellinger: plain(hellinger(countsOf(counts))) }),
  total_variation_distance: (counts: Counts) => ({ tvd: plain(totalVariation(countsOf(counts))) }),
  l_infinity: (counts: Counts) => ({ linf: plain(largestShift(countsOf(counts))) }),

  wasserstein_1: (samples: Samples) => ({ distance: plain(wasserstein(...samplesOf(samples))) }),
  energy_distance: (samples: Samples) => ({ distance: plain(energyDistance(...samplesOf(samples))) }),
  drift_wasserstein_normed: ({ reference, current }: { reference: number[]; current: number[] }) =>
    plain(normedWasserstein(reference, current)),

  moments_merge(input: { partials: (Moments & Partial<HigherMoments>)[] } | Readonly<Record<string, number[]>>) {
    if (isPartials(input)) {
      const merged = mergeMoments(input.partials);
      return { ...merged, sample_variance: plain(sampleVariance(merged)) };
    }
    const merged = mergeHigherMoments(Object.values(input).map((values) => momentsOf(values)));
    return {
      ...merged,
      sample_variance: plain(sampleVariance(merged)),
      skewness_g1: plain(skewness(merged)),
      excess_kurtosis_g2: plain(excessKurtosis(merged)),
    };
  },

  std_threshold: (input: { reference_chunk_values: number[]; multiplier?: number }) =>
    plain(deviationThreshold(input.reference_chunk_values, input.multiplier ?? 3)),
};

function isPartials(
  input: { partials: Moments[] } | Readonly<Record<string, number[]>>,
): input is { partials: Moments[] } {
  return 'partials' in input;
}
