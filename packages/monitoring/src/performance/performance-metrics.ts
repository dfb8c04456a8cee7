import { defined, normal, type Outcome, undefinedBecause, wilsonInterval } from '@mcp-hub/stats';

/** Metrics of a classifier that are told from counts, of a binary one but for accuracy. */
export const performanceMetrics = ['accuracy', 'precision', 'recall', 'specificity', 'f1'] as const;
export type PerformanceMetric = (typeof performanceMetrics)[number];

/** Rows by what was predicted and what was true. */
export interface OutcomeCounts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/**
 * What probabilities of the positive class sum to over rows: of those predicted positive and of the others, how many, Σ p and
 * Σ p (1 - p).
 */
export interface ProbabilitySums {
  readonly positive: { readonly n: number; readonly sum: number; readonly spread: number };
  readonly negative: { readonly n: number; readonly sum: number; readonly spread: number };
}

export interface MeasuredMetric {
  readonly value: number;
  readonly standardError: number;
  readonly interval: readonly [lower: number, upper: number];
}

/** A metric of labelled rows: Wilson's interval of a share, for F1 the delta method. Undefined where nothing counts for it. */
export function realisedMetric(
  metric: PerformanceMetric,
  { tp, fp, fn, tn }: OutcomeCounts,
  alpha: number,
): Outcome<MeasuredMetric> {
  if (metric === 'f1') return f1({ tp, fp, fn, tn }, alpha);
  const [successes, n] = {
    accuracy: [tp + tn, tp + fp + fn + tn] as const,
    precision: [tp, tp + fp] as const,
    recall: [tp, tp + fn] as const,
    specificity: [tn, tn + fp] as const,
  }[metric];
  const interval = wilsonInterval({ successes, n }, alpha);
  if (interval.value === null) return undefinedBecause(nothing[metric]);
  const value = successes / n;
  // Never 0: a share of 1 of ten rows is not known for sure. That of Wilson's middle.
  const [lower, upper] = interval.value;
  const standardError = (upper - lower) / 2 / normal().inverseSf(alpha / 2);
  return defined({ value, standardError, interval: interval.value });
}

const nothing: Readonly<Record<PerformanceMetric, string>> = {
  accuracy: 'No prediction is labelled.',
  precision: 'No labelled prediction is positive.',
  recall: 'No labelled subject is positive.',
  specificity: 'No labelled subject is negative.',
  f1: 'No labelled prediction or subject is positive.',
};

function f1({ tp, fp, fn }: OutcomeCounts, alpha: number): Outcome<MeasuredMetric> {
  const rows = tp + (fp + fn);
  if (rows === 0) return undefinedBecause(nothing.f1);
  // A function of the share of tp among the rows that count, s: 2 s / (1 + s).
  const share = wilsonInterval({ successes: tp, n: rows }, alpha);
  if (share.value === null) return share;
  const of = (s: number) => (2 * s) / (1 + s);
  const [lower, upper] = [of(share.value[0]), of(share.value[1])];
  const standardError = (upper - lower) / 2 / normal().inverseSf(alpha / 2);
  return defined({ value: of(tp / rows), standardError, interval: [lower, upper] });
}

/**
 * What calibrated probabilities let expect of a metric (confidence-based performance estimation), with the spread of the
 * labels that are to come; that of the calibration is not in it.
 */
export function estimatedMetric(
  metric: PerformanceMetric,
  { positive, negative }: ProbabilitySums,
  alpha: number,
): Outcome<MeasuredMetric> {
  const [tp, fp] = [positive.sum, positive.n - positive.sum];
  const [fn, tn] = [negative.sum, negative.n - negative.sum];
  // A ratio of sums: the derivative by a row predicted positive, and by one of the others, that turns out positive.
  const parts: Readonly<Record<PerformanceMetric, readonly [top: number, all: number, up: number, other: number]>> = {
    accuracy: [tp + tn, positive.n + negative.n, 1, -1],
    precision: [tp, positive.n, 1, 0],
    recall: [tp, tp + fn, fn / (tp + fn), -tp / (tp + fn)],
    specificity: [tn, tn + fp, tn / (tn + fp), -fp / (tn + fp)],
    f1: [2 * tp, positive.n + tp + fn, 2 - (2 * tp) / (positive.n + tp + fn), (-2 * tp) / (positive.n + tp + fn)],
  };
  const [top, all, up, other] = parts[metric];
  if (!(all > 0)) return undefinedBecause('No prediction counts for it.');
  const value = top / all;
  const standardError = Math.sqrt(up * up * positive.spread + other * other * negative.spread) / all;
  const reach = normal().inverseSf(alpha / 2) * standardError;
  return defined({ value, standardError, interval: [Math.max(0, value - reach), Math.min(1, value + reach)] });
}
