import { confidenceSequence, isStatsError, sampleOfMoments, welchTest } from '@mcp-hub/stats';
import type { HealthCheck, HealthCheckName, HealthVerdict } from './analysis.ts';
import { type AnalysisDefinition, treatmentsOf, tuningUnits } from './analysis-definition.ts';
import type { AnalysisInput } from './analysis-input.ts';
import type { Arm, Arms } from './arms.ts';
import { hasCovariate } from './compare-arms.ts';
import { RATIO_UNITS, type SampleRatio, sampleRatio, sampleRatioOverTime } from './sample-ratio.ts';
import { numberText, shareText } from './text.ts';

/** What the checks hold the data against (GrowthBook's defaults). */
export const HEALTH_RULES = {
  /** p of the sample ratio below which units did not come as the weights say. */
  sampleRatioP: 0.001,
  /** Share of units of several variants, or exposed before their assignment, from which on the check has failed… */
  oddShare: 0.01,
  /** …if they are this many, too. */
  oddUnits: 10,
  /** p of the covariate between arms below which they differed before the experiment. */
  covariateP: 0.001,
} as const;

interface Examined {
  readonly definition: AnalysisDefinition;
  readonly input: AnalysisInput;
  readonly arms: Arms;
  readonly look: number;
}

/** All checks, in the order of healthChecks. */
export function checkHealth(examined: Examined): readonly HealthCheck[] {
  const { definition, input, look } = examined;
  const alone = (row: { readonly units: number }) => row.units;
  const all = (row: { readonly withMultiple: number }) => row.withMultiple;
  return [
    ratioCheck('sample_ratio', sampleRatio(definition, input, alone), look === 1),
    ratioCheck('sample_ratio_with_multiple', sampleRatio(definition, input, all), look === 1),
    ratioCheck('sample_ratio_over_time', sampleRatioOverTime(definition, input, alone), true),
    ratioCheck('sample_ratio_over_time_with_multiple', sampleRatioOverTime(definition, input, all), true),
    oddUnits('multiple_exposure', input.multipleUnits, input.units, 'saw several variants and are in no metric'),
    oddUnits(
      'exposure_before_assignment',
      input.exposedBeforeAssignment,
      input.units,
      'were exposed before they were assigned',
    ),
    minimumUnits(examined),
    covariateBalance(examined),
    allocation(examined),
  ];
}

/** The chi-square test errs at its rate when it is read once: from the second look on it only warns. */
function ratioCheck(
  check: HealthCheckName,
  { p, units, counts, unexpected }: SampleRatio,
  decides: boolean,
): HealthCheck {
  const threshold = HEALTH_RULES.sampleRatioP;
  const found = `${counts.map(numberText).join(' to ')} units`;
  if (unexpected > 0) {
    const text = `${numberText(unexpected)} units of variants whose weight was 0: ${found}.`;
    return { check, verdict: 'failed', value: p, threshold, text };
  }
  if (p === null) {
    const text = `Too few units for a test of their ratio, ${numberText(units)}: it takes ${RATIO_UNITS} a variant.`;
    return { check, verdict: 'unknown', value: null, threshold, text };
  }
  if (p >= threshold) {
    return { check, verdict: 'ok', value: p, threshold, text: `${found}, as the weights say (p = ${numberText(p)}).` };
  }
  const text = `${found} do not fit the weights (p = ${numberText(p)}).`;
  return decides
    ? { check, verdict: 'failed', value: p, threshold, text }
    : {
        check,
        verdict: 'warning',
        value: p,
        threshold,
        text: `${text} Read more than once, this test errs more often: see sample_ratio_over_time.`,
      };
}

function oddUnits(check: HealthCheckName, count: number, units: number, what: string): HealthCheck {
  const share = units === 0 ? null : count / units;
  const { oddShare: threshold, oddUnits: least } = HEALTH_RULES;
  const verdict: HealthVerdict =
    share === null ? 'unknown' : share >= threshold && count >= least ? 'failed' : count > 0 ? 'warning' : 'ok';
  const text =
    share === null
      ? 'No units have come.'
      : `${numberText(count)} of ${numberText(units)} units (${shareText(share)}) ${what}.`;
  return { check, verdict, value: share, threshold, text };
}

/** Of the variants, in the units of the metrics: those that were exposed to it alone. */
function minimumUnits({ definition, input }: Examined): HealthCheck {
  const { variants, minimumUnits: threshold } = definition;
  const counts = variants.map(({ id, key }) => ({
    key,
    units: input.daily.reduce((sum, row) => sum + (row.variantId === id ? row.units : 0), 0),
  }));
  const least = Math.min(...counts.map(({ units }) => units));
  const few = counts.filter(({ units }) => units < threshold);
  const text =
    few.length === 0
      ? `Each variant has at least ${numberText(least)} units.`
      : `${few.map(({ key, units }) => `${key} has ${numberText(units)}`).join(', ')} of the ${numberText(threshold)} units below which nothing is called significant.`;
  return { check: 'minimum_units', verdict: few.length === 0 ? 'ok' : 'failed', value: least, threshold, text };
}

/**
 * Whether arms differed before the experiment: Welch's test of each covariate of CUPED, from the second look on the
 * always-valid one; the least p times the number of tests (Bonferroni).
 */
function covariateBalance({ definition, arms, look }: Examined): HealthCheck {
  const check = 'covariate_balance';
  const threshold = HEALTH_RULES.covariateP;
  const control = definition.variants.find(({ isControl }) => isControl);
  const tests = definition.metrics.filter(hasCovariate).flatMap((metric) =>
    treatmentsOf(definition).flatMap(({ id, key }) => {
      if (control === undefined) return [];
      const pair = { control: arms.armOf(metric, control.id, null), treatment: arms.armOf(metric, id, null) };
      const p = covariateP(pair, tuningUnits(definition), look);
      return p === null ? [] : [{ p, metric: metric.key, variant: key }];
    }),
  );
  const [first, ...rest] = tests;
  if (first === undefined) {
    const text = 'No metric has a covariate that varies in both arms.';
    return { check, verdict: 'unknown', value: null, threshold, text };
  }
  const worst = rest.reduce((least, test) => (test.p < least.p ? test : least), first);
  const p = Math.min(1, worst.p * tests.length);
  const where = `${worst.metric} of ${worst.variant}`;
  return p < threshold
    ? {
        check,
        verdict: 'failed',
        value: p,
        threshold,
        text: `Before the experiment ${where} differed from the control (p = ${numberText(p)} of ${tests.length} tests).`,
      }
    : {
        check,
        verdict: 'ok',
        value: p,
        threshold,
        text: `No covariate differs between the arms (least p = ${numberText(p)} of ${tests.length} tests).`,
      };
}

function covariateP(
  { control, treatment }: { readonly control: Arm; readonly treatment: Arm },
  tuningN: number,
  look: number,
): number | null {
  const before = ({ sums: { n, meanX, m2X } }: Arm) => sampleOfMoments({ n, mean: meanX, m2: m2X });
  try {
    const { value } = welchTest({ control: before(control), treatment: before(treatment) });
    if (value === null || look === 1) return value?.p ?? null;
    return confidenceSequence({ effect: value, n: control.n + treatment.n, tuningN }).p;
  } catch (error) {
    if (isStatsError(error)) return null;
    throw error;
  }
}

/** Sums over allocations of other proportions hold the trend of the time in which these held. */
function allocation({ definition, input, arms }: Examined): HealthCheck {
  const check = 'allocation';
  const value = arms.groups;
  if (input.units === 0) return { check, verdict: 'unknown', value: null, threshold: 1, text: 'No units have come.' };
  if (arms.groups <= 1) {
    return { check, verdict: 'ok', value, threshold: 1, text: 'All units came under the same weights.' };
  }
  const changed = `Units came under ${arms.groups} different weightings of ${definition.allocations.length} allocations`;
  return arms.hasStrata
    ? {
        check,
        verdict: 'warning',
        value,
        threshold: 1,
        text: `${changed}: variants are compared within each and the differences averaged; quantiles and slices are not compared.`,
      }
    : {
        check,
        verdict: 'failed',
        value,
        threshold: 1,
        text: `${changed}, and the input has no sums by allocation: nothing is compared.`,
      };
}
