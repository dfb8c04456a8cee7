import { normal } from '../distributions/normal.ts';
import { type Arms, effectOf } from '../experiments/effect.ts';
import { requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome } from '../outcome.ts';

/** A mixture sequential probability ratio test at one look. */
export interface MixtureRatioTest {
  /** Variance V of the difference. */
  readonly variance: number;
  /** Variance τ of the mixture. */
  readonly tau: number;
  /** What replaces z of the fixed test. */
  readonly criticalValue: number;
  readonly halfWidth: number;
  readonly z: number;
  readonly p: number;
}

/**
 * Statsig's sequential test of a difference of means, valid at every look: mSPRT with a normal mixture.
 *
 * Z* = √((V + τ)/τ · (-2 ln(α/2) - ln(V/(V + τ)))) with V = vA/nA + vB/nB and τ = z² (vA + vB) / (nA + nB) for z of α/2;
 * p from N(0, (Z* / z)²). Zhao et al. (2019), arXiv:1905.10493. Undefined as effectOf.
 */
export function mixtureRatioTest({
  control,
  treatment,
  alpha = 0.05,
}: Arms & { readonly alpha?: number }): Outcome<MixtureRatioTest> {
  const z0 = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  const effect = effectOf({ control, treatment }, 'absolute');
  if (effect.value === null) return effect;
  const { estimate, standardError } = effect.value;
  const variance = standardError ** 2;
  const tau = (z0 * z0 * (control.variance + treatment.variance)) / (control.n + treatment.n);
  const criticalValue = Math.sqrt(
    ((variance + tau) / tau) * (-2 * Math.log(alpha / 2) - Math.log(variance / (variance + tau))),
  );
  const z = estimate / standardError;
  return defined({
    variance,
    tau,
    criticalValue,
    halfWidth: criticalValue * standardError,
    z,
    p: 2 * normal().sf((Math.abs(z) * z0) / criticalValue),
  });
}
