import { DomainError, parseInput } from '@mcp-hub/db-core';
import {
  confidenceSequence,
  normal,
  type Outcome,
  sampleSizeOfTwoMeans,
  sampleSizeOfTwoProportions,
} from '@mcp-hub/stats';
import { z } from 'zod';
import { tuningUnits } from '../analysis/analysis-definition.ts';
import { keyName, sumToOne } from '../design/experiment-inputs.ts';
import { experimentTests, metricDirections, metricKinds } from '../design/schema.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';

const openShare = z.number().gt(0).lt(1);
const ms = z.int().min(0).max(EXPERIMENT_LIMITS.windowMs);

const PlannedMetricInput = z.strictObject({
  key: keyName,
  kind: z.enum(metricKinds),
  /** The least change that matters, as a share of the baseline. */
  minimumEffect: z.number().positive(),
  /** Which way it goes. Default: increase. */
  direction: z.enum(metricDirections).optional(),
  /** In the place of the plan's. */
  alpha: openShare.optional(),
  /** What it is without the experiment: of a proportion its mean alone counts, the share of units. */
  baseline: z.strictObject({
    mean: z.number(),
    /** Of one unit. */
    variance: z.number().min(0).optional(),
    /** Of a unit's value with what it was before (CUPED), which takes 1 - r² of the variance. Default 0. */
    covariateCorrelation: z.number().min(-1).max(1).optional(),
  }),
  /** How long after the first exposure the metric is complete: delay and window. Default 0. */
  completeAfterMs: ms.optional(),
});

export const PlanExperimentInput = z.strictObject({
  /** Of every variant, the control's first; they sum to 1. */
  weights: z.array(z.number().gt(0).lt(1)).min(2).max(EXPERIMENT_LIMITS.variants).refine(sumToOne, 'must sum to 1'),
  metrics: z.array(PlannedMetricInput).min(1).max(EXPERIMENT_LIMITS.metrics),
  /** The chance to find an effect that is there. Default 0.8. */
  power: openShare.optional(),
  /** Two-sided. Default 0.05. */
  alpha: openShare.optional(),
  /** Default: sequential. */
  test: z.enum(experimentTests).optional(),
  /** New units a day that the experiment could ask, before its coverage. Without it no days are told. */
  unitsPerDay: z.number().positive().optional(),
  /** The share of them that it asks. Default 1. */
  coverage: z.number().gt(0).max(1).optional(),
});
export type PlanExperimentInput = Readonly<z.input<typeof PlanExperimentInput>>;

export interface PlannedUnits {
  /** Of all variants together: the experiment's `plannedUnits`. */
  readonly units: number;
  /** In the order of the weights. */
  readonly perVariant: readonly number[];
  /** Until the last unit's metric is complete, in whole days. Null without a rate. */
  readonly days: number | null;
}

export interface ExperimentPlan {
  /** What the metric that needs the most does; undefined where no metric tells. */
  readonly needed: Outcome<PlannedUnits>;
  readonly metrics: readonly { readonly key: string; readonly needed: Outcome<PlannedUnits> }[];
}

/**
 * The units that an experiment needs to find its least effects, and the days in which they come. Computed only.
 *
 * Each metric is the difference of the control and the treatment with the least weight: n of stats' sample sizes for equal
 * arms, as n/2 (1/w_c + 1/w_t) units of all. A sequential test is planned by its interval at the last look alone, where it
 * is narrowest, so that its power is at least the one asked for; looks before add to it. Without a correction for being many.
 *
 * @throws DomainError `invalid_input`.
 */
export function planExperiment(input: PlanExperimentInput): ExperimentPlan {
  const given = parseInput(PlanExperimentInput, input);
  const metrics = given.metrics.map((metric) => ({ key: metric.key, needed: neededOf(given, metric) }));
  const most = metrics.reduce<PlannedUnits | undefined>((found, { needed: { value } }) => {
    if (value === null || found === undefined) return value ?? found;
    const { units, perVariant } = value.units > found.units ? value : found;
    return { units, perVariant, days: longer(value.days, found.days) };
  }, undefined);
  const needed: Outcome<PlannedUnits> =
    most === undefined ? { value: null, reason: 'no metric can be planned' } : { value: most, reason: null };
  return { needed, metrics };
}

const longer = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(a, b));

type Given = z.output<typeof PlanExperimentInput>;
type Metric = z.output<typeof PlannedMetricInput>;

const DAY_MS = 86_400_000;

function neededOf(given: Given, metric: Metric): Outcome<PlannedUnits> {
  const { weights, power = 0.8, coverage = 1, unitsPerDay } = given;
  const [control = 0, ...treatments] = weights;
  const least = Math.min(...treatments);
  const alpha = metric.alpha ?? given.alpha ?? 0.05;
  const n = unitsAnArm(metric, {
    power,
    alpha: given.test === 'fixed' ? alpha : lastLookAlpha(alpha, control + least, weights),
  });
  if (n.value === null) return n;
  const total = (n.value / 2) * (1 / control + 1 / least);
  if (!(total < Number.MAX_SAFE_INTEGER / 2)) return { value: null, reason: 'the effect is too small to be found' };
  const perVariant = weights.map((weight) => Math.ceil(total * weight));
  const units = perVariant.reduce((sum, each) => sum + each, 0);
  const days =
    unitsPerDay === undefined
      ? null
      : Math.ceil(units / (unitsPerDay * coverage) + (metric.completeAfterMs ?? 0) / DAY_MS);
  return { value: { units, perVariant, days }, reason: null };
}

/**
 * Of a fixed test that is as wide as a sequential one at its planned number of units, of which the two arms have a share:
 * tuned as its analysis will be.
 */
function lastLookAlpha(alpha: number, share: number, variants: readonly unknown[]): number {
  const plannedUnits = 1_000_000;
  const effect = { estimate: 0, standardError: 1 };
  const tuningN = tuningUnits({ plannedUnits, variants });
  const { halfWidth } = confidenceSequence({ effect, n: share * plannedUnits, alpha, tuningN });
  return 2 * normal().sf(halfWidth);
}

interface Error {
  readonly power: number;
  readonly alpha: number;
}

function unitsAnArm({ kind, minimumEffect, direction, baseline }: Metric, { power, alpha }: Error): Outcome {
  const { mean, covariateCorrelation: r = 0 } = baseline;
  const none = (reason: string): Outcome => ({ value: null, reason });
  if (kind === 'ratio' || kind === 'quantile') return none('only means and proportions are planned');
  if (mean === 0) return none('a share of a baseline of 0 is no effect');
  const left = 1 - r * r;
  if (left === 0) return none('the covariate leaves no variance');
  if (kind === 'proportion') {
    if (mean < 0 || mean > 1) throw outside('baseline.mean of a proportion must be from 0 to 1');
    if (mean === 1 && direction !== 'decrease') return none('a share of 1 cannot grow');
    const p2 = mean * (direction === 'decrease' ? 1 - minimumEffect : 1 + minimumEffect);
    if (p2 < 0 || p2 > 1) return none('the effect leads to a share outside 0 to 1');
    return { value: left * sampleSizeOfTwoProportions({ p1: mean, p2, alpha, power }), reason: null };
  }
  const { variance } = baseline;
  if (variance === undefined) throw outside('baseline.variance of a mean must be given');
  if (variance === 0) return none('the units do not vary');
  const standardDeviation = Math.sqrt(variance * left);
  const n = sampleSizeOfTwoMeans({ difference: mean * minimumEffect, standardDeviation, alpha, power });
  return { value: n, reason: null };
}

const outside = (message: string) =>
  new DomainError('invalid_input', `metrics[].${message}.`, { details: { field: 'metrics' } });
