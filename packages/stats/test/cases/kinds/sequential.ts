import {
  alwaysValidInterval,
  confidenceSequence,
  type Difference,
  effectOf,
  mixtureRatioTest,
  oneSidedConfidenceSequence,
  sequentialRho,
} from '../../../src/index.ts';
import { armsOf, type CaseArms } from './arms.ts';
import { shaped } from './plain.ts';

interface SequentialCase extends CaseArms {
  readonly tuning_n?: number;
  readonly difference?: Difference;
}

/** What a look of a sequential test takes. */
function lookOf(input: SequentialCase) {
  const { alpha = 0.05, tuning_n: tuningN = 5000, difference = 'relative' } = input;
  const arms = armsOf(input);
  return { effect: effectOf(arms, difference), n: arms.control.n + arms.treatment.n, alpha, tuningN };
}

export const sequentialKinds = {
  sequential_acs_two_sided(input: SequentialCase) {
    const { effect, ...look } = lookOf(input);
    return shaped(effect, (found) => {
      const { rho, halfWidth, interval, eValue, p } = confidenceSequence({ effect: found, ...look });
      const { estimate, standardError } = found;
      return { estimate, se: standardError, rho, n: look.n, halfwidth: halfWidth, ci: interval, e_value: eValue, p };
    });
  },

  sequential_acs_one_sided(input: SequentialCase) {
    const { effect, ...look } = lookOf(input);
    return shaped(effect, (found) => {
      const bounds = oneSidedConfidenceSequence({ effect: found, ...look });
      return {
        estimate: found.estimate,
        se: found.standardError,
        rho: bounds.rho,
        n: look.n,
        halfwidth: bounds.halfWidth,
        ci_greater_lower: bounds.lowerBound,
        ci_less_upper: bounds.upperBound,
        p_greater: bounds.pGreater,
        p_less: bounds.pLess,
      };
    });
  },

  sequential_rho: (input: { alpha: number; tuning_n: number; sides?: 1 | 2 }) => ({
    rho: sequentialRho({ alpha: input.alpha, tuningN: input.tuning_n, sides: input.sides ?? 2 }),
  }),

  sequential_msprt_statsig: ({ alpha = 0.05, ...arms }: CaseArms) =>
    shaped(mixtureRatioTest({ ...armsOf(arms), alpha }), ({ variance, tau, criticalValue, halfWidth, z, p }) => ({
      V: variance,
      tau,
      z_star: criticalValue,
      halfwidth: halfWidth,
      z,
      p,
    })),

  sequential_gavi_eppo(input: { estimate: number; se: number; total_n: number; confidence?: number; n_tune?: number }) {
    const { rho, multiplier, halfWidth, interval } = alwaysValidInterval({
      effect: { estimate: input.estimate, standardError: input.se },
      n: input.total_n,
      alpha: 1 - (input.confidence ?? 0.95),
      tuningN: input.n_tune ?? 10_000,
    });
    return { rho, multiplier, halfwidth: halfWidth, ci: interval };
  },
};
