import {
  bayesianEffect,
  coMomentsOf,
  coMomentsOfSums,
  cupedTest,
  cupedTheta,
  type Difference,
  effectOf,
  expectedLosses,
  type NormalPrior,
  quantileEffect,
  relativeDifference,
  sampleOfRatio,
  sampleOfValues,
  sampleRatioMismatch,
  sequentialSampleRatio,
  type WelchTest,
  welchTest,
} from '../../../src/index.ts';
import { armsOf, type CaseArms } from './arms.ts';
import { plain, shaped } from './plain.ts';

interface CaseRatio {
  readonly n: number;
  readonly num_sum: number;
  readonly num_sum_squares: number;
  readonly den_sum: number;
  readonly den_sum_squares: number;
  readonly num_den_sum_products: number;
}

interface CaseCuped {
  readonly n: number;
  readonly post_sum: number;
  readonly post_sum_squares: number;
  readonly pre_sum: number;
  readonly pre_sum_squares: number;
  readonly pre_post_sum_products: number;
}

interface CasePairs {
  readonly pre: readonly number[];
  readonly post: readonly number[];
}

const twoSided = (test: WelchTest) => ({
  estimate: test.estimate,
  se: test.standardError,
  df: test.degreesOfFreedom,
  t: test.t,
  p: test.p,
  ci: test.interval,
});
const oneSided = (test: WelchTest) => ({
  ...twoSided(test),
  p_greater: test.pGreater,
  p_less: test.pLess,
  ci_greater_lower: test.lowerBound,
  ci_less_upper: test.upperBound,
});
const welch =
  (difference: Difference, shape: (test: WelchTest) => object) =>
  ({ alpha = 0.05, ...arms }: CaseArms) =>
    shaped(welchTest({ ...armsOf(arms), difference: arms.difference ?? difference, alpha }), shape);

const ratioOf = (arm: CaseRatio) =>
  sampleOfRatio({
    n: arm.n,
    numeratorSum: arm.num_sum,
    numeratorSumSquares: arm.num_sum_squares,
    denominatorSum: arm.den_sum,
    denominatorSumSquares: arm.den_sum_squares,
    sumProducts: arm.num_den_sum_products,
  });
const pairsOf = (arm: CaseCuped | CasePairs) =>
  'pre' in arm
    ? coMomentsOf(arm.pre, arm.post)
    : coMomentsOfSums({
        n: arm.n,
        sumX: arm.pre_sum,
        sumY: arm.post_sum,
        sumSquaresX: arm.pre_sum_squares,
        sumSquaresY: arm.post_sum_squares,
        sumProducts: arm.pre_post_sum_products,
      });

export const experimentKinds = {
  welch_t_relative_delta: welch('relative', twoSided),
  welch_t_absolute: welch('absolute', twoSided),
  welch_t_relative_proportion: welch('relative', twoSided),
  welch_t_one_sided_relative: welch('relative', oneSided),
  welch_t_one_sided_absolute: welch('absolute', oneSided),

  welch_t_raw({ x, y, alternative = 'two-sided' }: { x: number[]; y: number[]; alternative?: string }) {
    // The first sample less the second, as R has it.
    const test = welchTest({ control: sampleOfValues(y), treatment: sampleOfValues(x) });
    return shaped(test, (found) => {
      const p = alternative === 'greater' ? found.pGreater : alternative === 'less' ? found.pLess : found.p;
      return { ...twoSided(found), p };
    });
  },

  ratio_delta_method(input: { control: CaseRatio; treatment: CaseRatio; alpha?: number; difference?: Difference }) {
    const { alpha = 0.05, difference = 'relative' } = input;
    const [control, treatment] = [ratioOf(input.control).value, ratioOf(input.treatment).value];
    if (control === null || treatment === null) return null;
    return shaped(welchTest({ control, treatment, difference, alpha }), twoSided);
  },

  relative_difference: (input: { control_mean: number; treatment_mean: number }) => ({
    relative: plain(relativeDifference(input.control_mean, input.treatment_mean)),
  }),

  cuped_theta: (input: { control: CasePairs; treatment: CasePairs }) => ({
    theta: cupedTheta({ control: pairsOf(input.control), treatment: pairsOf(input.treatment) }),
  }),

  cuped_relative(input: { control: CaseCuped; treatment: CaseCuped; alpha?: number }) {
    const arms = { control: pairsOf(input.control), treatment: pairsOf(input.treatment) };
    const test = cupedTest({ ...arms, difference: 'relative', alpha: input.alpha ?? 0.05 });
    return shaped(test, (found) => ({
      ...twoSided(found),
      theta: found.theta,
      adj_mean_control: found.control.mean,
      adj_mean_treatment: found.treatment.mean,
      adj_sd_control: Math.sqrt(found.control.variance),
      adj_sd_treatment: Math.sqrt(found.treatment.variance),
      estimate_rel: found.estimate,
      se_rel: found.standardError,
    }));
  },

  bayes_gaussian_effect({ prior = null, alpha = 0.05, ...arms }: CaseArms & { prior?: NormalPrior | null }) {
    return shaped(effectOf(armsOf(arms), arms.difference ?? 'relative'), (effect) => {
      const found = bayesianEffect(effect, { prior, alpha });
      return {
        mean: found.mean,
        sd: found.standardDeviation,
        chance_to_win: found.chanceToWin,
        ci: found.interval,
        risk: found.risk,
      };
    });
  },

  bayes_risk: ({ mu, sigma }: { mu: number; sigma: number }) => ({ risk: expectedLosses(mu, sigma) }),

  quantile_p90_diff(input: Readonly<Record<'nu' | 'n_c' | 'n_t' | 'qc' | 'qt' | 'lc' | 'uc' | 'lt' | 'ut', number>>) {
    const effect = quantileEffect({
      level: input.nu,
      control: { n: input.n_c, quantile: input.qc, lower: input.lc, upper: input.uc },
      treatment: { n: input.n_t, quantile: input.qt, lower: input.lt, upper: input.ut },
    });
    return shaped(effect, ({ estimate, standardError, interval }) => ({ estimate, se: standardError, ci: interval }));
  },

  srm_chi_square: ({ users, weights }: { users: number[]; weights: number[] }) =>
    shaped(sampleRatioMismatch({ counts: users, weights }), ({ statistic, degreesOfFreedom, p }) => ({
      chi2: statistic,
      df: degreesOfFreedom,
      p,
    })),

  srm_sequential_bayes_factor: (input: {
    daily_users: number[][];
    weights: number[];
    dirichlet_concentration?: number;
  }) => ({
    p_by_day: sequentialSampleRatio({
      periods: input.daily_users,
      weights: input.weights,
      concentration: input.dirichlet_concentration ?? 10_000,
    }),
  }),
};
