import type { EffectResult, MetricResult } from '../analysis/analysis.ts';
import type { AnalysisDefinition, AnalysisMetric } from '../analysis/analysis-definition.ts';
import { numberText, shareText } from '../analysis/text.ts';
import type { DecisionReason } from './decision.ts';

/**
 * How results may be read: `valid` at every look, `fixed` at the one look of a fixed test, and `harm` where a fixed test
 * cannot be read: then only harm is looked for, by what is valid at every look.
 */
export type Reading = 'valid' | 'fixed' | 'harm';

/** An interval in the direction of the metric: above 0 is better. */
interface Reach {
  readonly least: number;
  readonly most: number;
}

/** What a metric says of a treatment. */
export interface MetricJudgement {
  readonly state: 'better' | 'worse' | 'undecided' | 'undefined';
  /** Of the relative difference; undefined where that is not defined. */
  readonly reach: Reach | undefined;
  /** Absolute, above 0 is better. */
  readonly estimate: number;
  readonly text: string;
}

/** Whether a treatment differs, by the p that the reading has, corrected for being many. */
export function judgeMetric(
  definition: AnalysisDefinition,
  metric: AnalysisMetric,
  control: MetricResult,
  result: MetricResult,
  reading: Reading,
): MetricJudgement {
  const { absolute, relative } = result.comparison ?? {};
  const p = reading === 'fixed' ? result.adjustedP : result.adjustedValidP;
  const least = Math.min(control.n, result.n);
  if (absolute === undefined || relative === undefined || absolute.estimate === null || p === null) {
    const text = `${metric.key}: ${result.reason ?? control.reason ?? 'The difference is not defined.'}`;
    return { state: 'undefined', reach: undefined, estimate: 0, text };
  }
  const estimate = oriented(metric, absolute.estimate);
  const found = describe(metric, control, result, reading, p);
  if (least < definition.minimumUnits) {
    const text = `${found}, of ${numberText(least)} units in an arm: too few to say.`;
    return { state: 'undefined', reach: undefined, estimate, text };
  }
  const alpha = metric.alpha ?? definition.alpha;
  const state = p > alpha ? 'undecided' : estimate > 0 ? 'better' : 'worse';
  return {
    state,
    reach: reachOf(metric, relative, reading),
    estimate,
    text: `${found}, held to ${numberText(alpha)}.`,
  };
}

/** What a guardrail says of a treatment. */
export type GuardrailState = 'harmed' | 'undecided' | 'kept';

/**
 * A guardrail with a margin (its minimumEffect): kept where the whole interval of the relative difference is better than
 * -margin (non-inferiority), harmed where all of it is worse, else undecided. Without a margin it is harmed where the
 * interval of the absolute difference is wholly on the worse side, and else kept.
 */
export function judgeGuardrail(
  definition: AnalysisDefinition,
  metric: AnalysisMetric,
  control: MetricResult,
  result: MetricResult,
  reading: Reading,
): { readonly state: GuardrailState; readonly reason: DecisionReason } {
  const margin = metric.minimumEffect;
  const { state, text } = judgeMetric(definition, metric, control, result, reading);
  const effect = margin === null ? result.comparison?.absolute : result.comparison?.relative;
  const reach = state === 'undefined' || effect === undefined ? undefined : reachOf(metric, effect, reading);
  const say = (found: GuardrailState, words: string) => ({
    state: found,
    reason: { because: `guardrail_${found}`, text: `${text} ${words}`, metricKey: metric.key } as const,
  });
  if (reach === undefined) {
    // Two arms in which nothing ever happened have no difference to test, and show no harm.
    const enough = Math.min(control.n, result.n) >= definition.minimumUnits;
    return margin === null && enough
      ? say('kept', 'No harm is shown.')
      : say('undecided', 'Whether it is harmed cannot be said.');
  }
  if (margin === null) {
    return reach.most < 0 ? say('harmed', 'The whole interval is worse.') : say('kept', 'No harm is shown.');
  }
  const bound = `a loss of ${shareText(margin)}`;
  if (reach.most < -margin) return say('harmed', `The whole interval is worse than ${bound}.`);
  if (reach.least > -margin) return say('kept', `The whole interval is better than ${bound}.`);
  return say('undecided', `The interval reaches over ${bound}.`);
}

const oriented = ({ direction }: AnalysisMetric, value: number): number => (direction === 'increase' ? value : -value);

function reachOf(metric: AnalysisMetric, effect: EffectResult, reading: Reading): Reach | undefined {
  const [lower, upper] = reading === 'fixed' ? [effect.lower, effect.upper] : [effect.validLower, effect.validUpper];
  if (lower === null || upper === null) return undefined;
  const ends = [oriented(metric, lower), oriented(metric, upper)];
  return { least: Math.min(...ends), most: Math.max(...ends) };
}

function describe(
  { key }: AnalysisMetric,
  control: MetricResult,
  result: MetricResult,
  reading: Reading,
  p: number,
): string {
  const of = ({ mean }: MetricResult) => (mean === null ? 'nothing' : numberText(mean));
  const relative = result.comparison?.relative;
  const share = (value: number | null | undefined) => (value == null ? '?' : shareText(value));
  const interval =
    reading === 'fixed' ? [relative?.lower, relative?.upper] : [relative?.validLower, relative?.validUpper];
  const change =
    relative?.estimate == null
      ? `a difference of ${numberText(result.comparison?.absolute.estimate ?? 0)}`
      : `${share(relative.estimate)} (${share(interval[0])} to ${share(interval[1])})`;
  const how = reading === 'fixed' ? 'read once' : 'valid at every look';
  return `${key}: ${of(result)} against ${of(control)}, ${change}, adjusted p = ${numberText(p)}, ${how}`;
}
