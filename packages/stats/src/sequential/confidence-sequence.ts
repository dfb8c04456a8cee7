import type { Effect } from '../experiments/effect.ts';
import { requireFinite, requireOpenProbability, requirePositive } from '../inputs.ts';

/**
 * ρ of an asymptotic confidence sequence that is tightest at `tuningN` units: √((-2 ln α + ln(1 - 2 ln α)) / N*), with 2α
 * for α where it is one-sided. Waudby-Smith et al. (2021), arXiv:2103.06476v7, equation 161.
 */
export function sequentialRho(input: {
  readonly alpha: number;
  readonly tuningN: number;
  readonly sides?: 1 | 2;
}): number {
  requirePositive('tuningN', input.tuningN);
  const alpha = requireOpenProbability('alpha, doubled where one-sided,', input.alpha * (input.sides === 1 ? 2 : 1));
  const level = -2 * Math.log(alpha);
  return Math.sqrt((level + Math.log1p(level)) / input.tuningN);
}

export interface ConfidenceSequenceInput {
  readonly effect: Effect;
  /** Units of both arms so far. */
  readonly n: number;
  /** Default 0.05. */
  readonly alpha?: number;
  /** Units at which the interval is to be tightest; default 5000, as GrowthBook's. Fix it before the first look. */
  readonly tuningN?: number;
}

/** A confidence sequence at one look. */
export interface ConfidenceSequence {
  readonly rho: number;
  readonly halfWidth: number;
  readonly interval: readonly [lower: number, upper: number];
  /** Evidence against no effect; Infinity beyond 1e308. */
  readonly eValue: number;
  readonly p: number;
}

/**
 * A two-sided interval that may be looked at after every unit and still errs with probability alpha at most.
 *
 * half = se √N √(2 (Nρ²+1) / (Nρ)² · ln(√(Nρ²+1) / α)), e = exp(ρ² d²N/se² / (2 (Nρ²+1))) / √(Nρ²+1), p = min(1, 1/e), with
 * se² that of the estimate, so d²N / se² has N twice removed. arXiv:2103.06476v7, equations 9 and 155.
 */
export function confidenceSequence(input: ConfidenceSequenceInput): ConfidenceSequence {
  const { effect, n, alpha, tuningN } = checked(input);
  const rho = sequentialRho({ alpha, tuningN });
  const growth = n * rho * rho + 1;
  const halfWidth =
    (effect.standardError * Math.sqrt((2 * growth * (Math.log(growth) / 2 - Math.log(alpha))) / n)) / rho;
  const logE = logEvidence(effect, n, rho);
  return {
    rho,
    halfWidth,
    interval: [effect.estimate - halfWidth, effect.estimate + halfWidth],
    eValue: Math.exp(logE),
    p: Math.min(1, Math.exp(-logE)),
  };
}

function logEvidence({ estimate, standardError }: Effect, n: number, rho: number): number {
  const growth = n * rho * rho + 1;
  return ((estimate / standardError) ** 2 * (n * rho * rho)) / (2 * growth) - Math.log(growth) / 2;
}

/** A one-sided confidence sequence at one look, to both sides. */
export interface OneSidedConfidenceSequence {
  readonly rho: number;
  readonly halfWidth: number;
  readonly lowerBound: number;
  readonly upperBound: number;
  readonly pGreater: number;
  readonly pLess: number;
}

/**
 * As confidenceSequence for one side: ρ of 2α and ln(1 + √(Nρ²+1) / (2α)) (arXiv:2103.06476v7, equation 134).
 *
 * p is the α at which the bound would be 0 under the same ρ, held in [1e-5, 0.4999] as GrowthBook's; solved in closed
 * form where GrowthBook bisects.
 */
export function oneSidedConfidenceSequence(input: ConfidenceSequenceInput): OneSidedConfidenceSequence {
  const { effect, n, alpha, tuningN } = checked(input);
  const rho = sequentialRho({ alpha, tuningN, sides: 1 });
  const growth = n * rho * rho + 1;
  const scale = (2 * growth) / (n * rho * rho);
  const halfWidth = effect.standardError * Math.sqrt(scale * Math.log1p(Math.sqrt(growth) / (2 * alpha)));
  const z = effect.estimate / effect.standardError;
  const solved = Math.sqrt(growth) / (2 * Math.expm1((z * z) / scale));
  const held = Math.min(0.4999, Math.max(1e-5, solved));
  return {
    rho,
    halfWidth,
    lowerBound: effect.estimate - halfWidth,
    upperBound: effect.estimate + halfWidth,
    pGreater: z > 0 ? held : 0.4999,
    pLess: z < 0 ? held : 0.4999,
  };
}

function checked({ effect, n, alpha = 0.05, tuningN = 5000 }: ConfidenceSequenceInput) {
  requireFinite('estimate', effect.estimate);
  requirePositive('standardError', effect.standardError);
  requirePositive('n', n);
  return { effect, n, alpha: requireOpenProbability('alpha', alpha), tuningN };
}
