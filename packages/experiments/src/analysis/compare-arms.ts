import {
  bayesianEffect,
  type CoMoments,
  confidenceSequence,
  cupedTest,
  type Difference,
  defined,
  type Effect,
  isStatsError,
  normal,
  type Outcome,
  quantileEffect,
  type Sample,
  sampleOfMoments,
  sampleOfQuantile,
  sampleOfRatioMoments,
  sampleOfSuccesses,
  undefinedBecause,
  type WelchTest,
  welchTest,
} from '@mcp-hub/stats';
import type { ArmComparison, EffectResult } from './analysis.ts';
import type { AnalysisMetric } from './analysis-definition.ts';
import type { Arm } from './arms.ts';
import { stratifyArms } from './stratify-arms.ts';

/** How arms are compared. */
export interface CompareOptions {
  readonly alpha: number;
  /** Units of both arms at which the always-valid interval is narrowest; fixed before the first look. */
  readonly tuningUnits: number;
  /** Whether the proportions of the arms changed while units came in. */
  readonly weightsChanged: boolean;
}

/** A comparison, beside the one without CUPED where there is one. */
export interface Compared {
  readonly comparison: ArmComparison;
  readonly unadjusted: ArmComparison | null;
  readonly theta: number | null;
  readonly chanceToWin: number | null;
  readonly riskOfControl: number | null;
  readonly riskOfTreatment: number | null;
}

/** Whether the metric's covariate is one that CUPED adjusts by. */
export const hasCovariate = ({ kind, cupedMs }: AnalysisMetric): boolean =>
  cupedMs !== null && (kind === 'mean' || kind === 'proportion');

/** One arm as it was measured: of a mean, share, ratio or quantile. */
export function sampleOfArm({ kind }: AnalysisMetric, { n, nonZero, sums, quantile }: Arm): Outcome<Sample> {
  if (n === 0) return undefinedBecause('No units have come.');
  switch (kind) {
    case 'proportion':
      return defined(sampleOfSuccesses({ n, successes: nonZero }));
    case 'ratio':
      return sampleOfRatioMoments(sums);
    case 'quantile':
      return quantile === null
        ? undefinedBecause('There are too few units for a quantile of this level.')
        : defined(sampleOfQuantile(quantile));
    case 'mean':
      return defined(sampleOfMean(sums));
  }
}

const sampleOfMean = ({ n, meanY, m2Y }: CoMoments): Sample => sampleOfMoments({ n, mean: meanY, m2: m2Y });

/** Compares a treatment with the control in one metric. What the data do not define is null with the reason. */
export function compareArms(metric: AnalysisMetric, control: Arm, treatment: Arm, options: CompareOptions): Compared {
  const n = control.n + treatment.n;
  const [plain, cuped] = testsOf(metric, control, treatment, options);
  const both = (test: Test): ArmComparison => ({
    absolute: effectResult(
      attempt(() => test('absolute')),
      n,
      options,
    ),
    relative: effectResult(
      attempt(() => test('relative')),
      n,
      options,
    ),
  });
  const unadjusted = both(plain);
  const theta = cuped === undefined ? null : thetaOf(attempt(() => cuped('absolute')));
  // Without anything to adjust by, the adjusted comparison is the other.
  const comparison = cuped === undefined || theta === null || theta === 0 ? unadjusted : both(cuped);
  return {
    comparison,
    unadjusted: cuped === undefined ? null : unadjusted,
    theta,
    ...bayesOf(metric, comparison.absolute),
  };
}

const NOT_BY_ALLOCATION =
  'The weights changed while units came in, and these units were not taken by allocation: their difference would hold the trend of that time.';

type Tested = Effect & Partial<Pick<WelchTest, 'degreesOfFreedom' | 'p' | 'interval'>> & { readonly theta?: number };
type Test = (difference: Difference) => Outcome<Tested>;

const thetaOf = ({ value }: Outcome<Tested>): number | null => value?.theta ?? null;

/** The plain test of a metric's kind, and the one by CUPED where it has a covariate. */
function testsOf(
  metric: AnalysisMetric,
  control: Arm,
  treatment: Arm,
  { alpha, weightsChanged }: CompareOptions,
): readonly [plain: Test, cuped?: Test] {
  if (metric.kind === 'quantile') {
    return [(difference) => quantileTest(metric, control, treatment, { alpha, weightsChanged, difference })];
  }
  if (control.strata.length === 1) {
    const [a, b] = [sampleOfArm(metric, control), sampleOfArm(metric, treatment)];
    const plain: Test = (difference) => welchOf(a, b, difference, alpha);
    if (!hasCovariate(metric)) return [plain];
    return [plain, (difference) => cupedTest({ control: control.sums, treatment: treatment.sums, difference, alpha })];
  }
  if (control.strata.length === 0) return [() => undefinedBecause(NOT_BY_ALLOCATION)];
  const arms = stratifyArms(control.strata, treatment.strata);
  if (arms === undefined) return [() => undefinedBecause('No allocation has two units in both arms.')];
  const sampleOf = (sums: CoMoments) =>
    metric.kind === 'ratio' ? sampleOfRatioMoments(sums) : defined(sampleOfMean(sums));
  const plain: Test = (difference) => welchOf(sampleOf(arms.control), sampleOf(arms.treatment), difference, alpha);
  return hasCovariate(metric) ? [plain, (difference) => cupedTest({ ...arms, difference, alpha })] : [plain];
}

function welchOf(
  control: Outcome<Sample>,
  treatment: Outcome<Sample>,
  difference: Difference,
  alpha: number,
): Outcome<Tested> {
  if (control.value === null) return undefinedBecause(`Of the control: ${control.reason}`);
  if (treatment.value === null) return undefinedBecause(`Of the treatment: ${treatment.reason}`);
  return welchTest({ control: control.value, treatment: treatment.value, difference, alpha });
}

function quantileTest(
  { quantile: level }: AnalysisMetric,
  control: Arm,
  treatment: Arm,
  options: { readonly alpha: number; readonly weightsChanged: boolean; readonly difference: Difference },
): Outcome<Tested> {
  if (options.weightsChanged) {
    return undefinedBecause(NOT_BY_ALLOCATION);
  }
  if (level === null || control.quantile === null || treatment.quantile === null) {
    return undefinedBecause('There are too few units for a quantile of this level.');
  }
  const { alpha, difference } = options;
  const effect = quantileEffect({
    ...{ level, control: control.quantile, treatment: treatment.quantile },
    ...{ difference, alpha },
  });
  if (effect.value === null) return effect;
  const { estimate, standardError } = effect.value;
  return defined({ ...effect.value, p: 2 * normal().sf(Math.abs(estimate / standardError)) });
}

/** What the statistics refuse, because values are too large for their squares, is undefined too. */
function attempt<Value>(compute: () => Outcome<Value>): Outcome<Value> {
  try {
    return compute();
  } catch (error) {
    if (isStatsError(error)) return undefinedBecause(error.message);
    throw error;
  }
}

function effectResult(tested: Outcome<Tested>, n: number, { alpha, tuningUnits }: CompareOptions): EffectResult {
  if (tested.value === null) return undefinedEffect(tested.reason);
  const { estimate, standardError, degreesOfFreedom, p, interval } = tested.value;
  const valid = attempt(() => {
    const effect = { estimate, standardError };
    return defined(confidenceSequence({ effect, n, alpha, tuningN: tuningUnits }));
  });
  const numbers = [estimate, standardError, ...(interval ?? []), ...(valid.value?.interval ?? [])];
  if (valid.value === null || numbers.some((number) => !Number.isFinite(number))) {
    return undefinedEffect(valid.reason ?? 'The values are too large or too small for their squares to be numbers.');
  }
  return {
    ...{ estimate, standardError, degreesOfFreedom: degreesOfFreedom ?? null },
    ...{ lower: interval?.[0] ?? null, upper: interval?.[1] ?? null, p: p ?? null },
    ...{ validLower: valid.value.interval[0], validUpper: valid.value.interval[1], validP: valid.value.p },
    reason: null,
  };
}

/** An effect that the data leave undefined. */
function undefinedEffect(reason: string): EffectResult {
  return {
    ...{ estimate: null, standardError: null, degreesOfFreedom: null, lower: null, upper: null, p: null },
    ...{ validLower: null, validUpper: null, validP: null },
    reason,
  };
}

/** Under a flat prior, in the direction of the metric. */
function bayesOf({ direction }: AnalysisMetric, { estimate, standardError }: EffectResult) {
  if (estimate === null || standardError === null) {
    return { chanceToWin: null, riskOfControl: null, riskOfTreatment: null };
  }
  const sign = direction === 'increase' ? 1 : -1;
  const { chanceToWin, risk } = bayesianEffect({ estimate: sign * estimate, standardError });
  return { chanceToWin, riskOfControl: risk[0], riskOfTreatment: risk[1] };
}
