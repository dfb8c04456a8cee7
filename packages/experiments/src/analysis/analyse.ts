import { adjustResults } from './adjust-results.ts';
import { ANALYSIS_VERSION, type Analysis, type MetricResult } from './analysis.ts';
import { type AnalysisDefinition, type AnalysisMetric, tuningUnits } from './analysis-definition.ts';
import type { AnalysisInput, Slice } from './analysis-input.ts';
import { type Arms, readArms } from './arms.ts';
import { compareArms, sampleOfArm } from './compare-arms.ts';
import { checkHealth } from './health.ts';

export interface AnalyseOptions {
  /** How often the experiment has been looked at, this time included. Default 1. */
  readonly look?: number;
}

/**
 * What an experiment's data say, by metric, variant and slice, with whether they can be trusted. Pure, and the same bits
 * for the same definition, input and look, in whatever order the input's rows stand.
 *
 * Absolute differences by Welch's test, relative ones by the delta method, ratios by the delta method, quantiles by
 * their order statistics; always-valid intervals by the asymptotic confidence sequence of arXiv:2103.06476v7. Where the
 * weights changed while units came in, arms are compared within each allocation (stratifyArms).
 */
export function analyse(
  definition: AnalysisDefinition,
  input: AnalysisInput,
  { look = 1 }: AnalyseOptions = {},
): Analysis {
  const arms = readArms(definition, input);
  const results = definition.metrics.flatMap((metric) =>
    arms.slices.flatMap((slice) => resultsOf(definition, arms, metric, slice)),
  );
  return {
    codeVersion: ANALYSIS_VERSION,
    units: definition.variants.map(({ id }) => ({
      variantId: id,
      units: input.daily.reduce((sum, row) => sum + (row.variantId === id ? row.units : 0), 0),
    })),
    results: adjustResults(results, definition.correction),
    health: checkHealth({ definition, input, arms, look }),
  };
}

function resultsOf(
  definition: AnalysisDefinition,
  arms: Arms,
  metric: AnalysisMetric,
  slice: Slice | null,
): readonly MetricResult[] {
  const { variants } = definition;
  const control = variants.find(({ isControl }) => isControl);
  const options = {
    alpha: metric.alpha ?? definition.alpha,
    tuningUnits: tuningUnits(definition),
    weightsChanged: arms.groups > 1,
  };
  return variants.map((variant) => {
    const arm = arms.armOf(metric, variant.id, slice);
    const sample = sampleOfArm(metric, arm);
    const facts = {
      ...{ metricId: metric.id, metricKey: metric.key, role: metric.role, kind: metric.kind },
      ...{ variantId: variant.id, variantKey: variant.key, isControl: variant.isControl, slice },
      ...{ n: arm.n, nonZero: arm.nonZero },
      ...{ mean: sample.value?.mean ?? null, variance: sample.value?.variance ?? null },
    };
    if (variant.isControl || control === undefined) return { ...facts, ...nothing, reason: sample.reason };
    const compared = compareArms(metric, arms.armOf(metric, control.id, slice), arm, options);
    return { ...facts, ...nothing, ...compared, reason: sample.reason ?? compared.comparison.absolute.reason };
  });
}

const nothing = {
  ...{ comparison: null, unadjusted: null, theta: null, adjustedP: null, adjustedValidP: null },
  ...{ chanceToWin: null, riskOfControl: null, riskOfTreatment: null },
};
