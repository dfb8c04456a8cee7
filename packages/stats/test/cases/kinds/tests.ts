import {
  benjaminiHochberg,
  type ChiSquareTest,
  cramersV,
  fisherExact,
  goodnessOfFit,
  holm,
  independenceTest,
  kolmogorovSmirnovTest,
  likelihoodRatioFit,
  mannWhitneyTestOfCounts,
  type Outcome,
  powerOfTwoProportions,
  sampleSizeOfTwoProportions,
  type TwoByTwo,
  twoProportionTest,
} from '../../../src/index.ts';
import { plain, shaped } from './plain.ts';

interface Counts {
  readonly reference_counts: readonly number[];
  readonly current_counts: readonly number[];
}
type Table = readonly (readonly number[])[];

const chiSquareOf = (test: Outcome<ChiSquareTest>) =>
  shaped(test, ({ statistic, degreesOfFreedom, p }) => ({ chi2: statistic, g: statistic, df: degreesOfFreedom, p }));
const corrected =
  (adjust: (p: readonly number[]) => readonly number[]) =>
  ({ p, q = 0.05 }: { p: number[]; q?: number }) => {
    const adjusted = adjust(p);
    return { adjusted, n_rejected: adjusted.filter((value) => value <= q).length };
  };

export const testKinds = {
  benjamini_hochberg: corrected(benjaminiHochberg),
  holm: corrected(holm),

  two_proportion_z_pooled: ({ x1, n1, x2, n2 }: Readonly<Record<'x1' | 'n1' | 'x2' | 'n2', number>>) =>
    plain(twoProportionTest({ successes: x1, n: n1 }, { successes: x2, n: n2 })),

  chi_square_independence: ({ table }: { table: Table }) => chiSquareOf(independenceTest(table)),
  chi_square_gof: ({ observed, expected }: { observed: number[]; expected?: number[] }) =>
    chiSquareOf(goodnessOfFit(expected === undefined ? { observed } : { observed, expected })),
  drift_chi_square: (counts: Counts) =>
    chiSquareOf(goodnessOfFit({ observed: counts.current_counts, expected: counts.reference_counts })),
  drift_g_test: (counts: Counts) =>
    chiSquareOf(likelihoodRatioFit({ observed: counts.current_counts, expected: counts.reference_counts })),
  cramers_v: ({ table }: { table: Table }) =>
    shaped(cramersV(table), ({ v, biasCorrected }) => ({ v, v_bias_corrected: biasCorrected })),
  fisher_exact_2x2({ table }: { table: TwoByTwo }) {
    const { p, pGreater, pLess } = fisherExact(table);
    return { p, p_greater: pGreater, p_less: pLess };
  },

  ks_two_sample({ x, y, method = 'exact' }: { x: number[]; y: number[]; method?: 'exact' | 'asymp' | 'auto' }) {
    const by = (used: 'auto' | 'exact' | 'limit' | 'sample') => plain(kolmogorovSmirnovTest(x, y, { method: used }));
    if (method !== 'asymp') return by(method);
    return { d: by('limit')?.d, p_kolmogorov_limit: by('limit')?.p, p_scipy_asymp: by('sample')?.p };
  },

  mann_whitney_u: (input: { x_counts: number[]; y_counts: number[]; values: number[] }) =>
    shaped(
      mannWhitneyTestOfCounts({ values: input.values, xCounts: input.x_counts, yCounts: input.y_counts }),
      ({ u1, z, p, pOneSided }) => ({ u1, z, p, p_one_sided_small_tail: pOneSided }),
    ),

  power_two_proportions: (input: { n_per_arm: number; p1: number; p2: number; alpha?: number }) => ({
    power: powerOfTwoProportions({ n: input.n_per_arm, p1: input.p1, p2: input.p2, alpha: input.alpha ?? 0.05 }),
  }),
  sample_size_two_proportions(input: { p1: number; p2: number; power: number; alpha?: number }) {
    const n = sampleSizeOfTwoProportions({
      p1: input.p1,
      p2: input.p2,
      power: input.power,
      alpha: input.alpha ?? 0.05,
    });
    return { n_per_arm: n, n_per_arm_ceil: Math.ceil(n) };
  },
};
