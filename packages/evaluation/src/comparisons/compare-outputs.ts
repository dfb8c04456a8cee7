import { DomainError } from '@mcp-hub/db-core';
import {
  deLongTest,
  discordantCounts,
  mcNemarTest,
  normal,
  type Outcome,
  pairedBootstrap,
  pairedTTest,
} from '@mcp-hub/stats';
import { labelBits } from '../tasks/binary-parts.ts';
import { binaryTask } from '../tasks/binary-task.ts';
import { regressionTask } from '../tasks/regression-task.ts';
import { takeNumbers } from '../tasks/task.ts';
import type { ComparisonTest } from './schema.ts';

/** The same rows with the outputs of two models. */
export interface ComparedRows {
  readonly labels: ArrayLike<string | number | boolean>;
  readonly baseline: ArrayLike<string | number | boolean>;
  readonly candidate: ArrayLike<string | number | boolean>;
}

export interface CompareOptions {
  readonly test: ComparisonTest;
  readonly metric?: string | undefined;
  readonly alpha: number;
  readonly threshold: number;
  readonly bootstrap?: { readonly seed: number; readonly resamples?: number | undefined } | undefined;
}

/** Candidate less baseline, by one test. */
export interface Compared {
  readonly metric: string;
  readonly n: number;
  readonly statistic: number | null;
  readonly pValue: number | null;
  readonly difference: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly reason: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Compares two models' outputs on the same rows. Pure. Throws what the statistics throw. */
export function compareOutputs(rows: ComparedRows, options: CompareOptions): Compared {
  const n = rows.labels.length;
  for (const outputs of [rows.baseline, rows.candidate]) {
    if (outputs.length !== n) {
      throw new DomainError('invalid_input', 'outputs must have one value a row, as many as labels.', {
        details: { field: 'outputs' },
      });
    }
  }
  switch (options.test) {
    case 'mcnemar_exact':
    case 'mcnemar_mid_p':
    case 'mcnemar_chi_square':
      return { ...nothing, n, metric: 'accuracy', ...mcNemar(rows, options) };
    case 'delong':
      return { ...nothing, n, metric: 'roc_auc', ...deLong(rows, options.alpha) };
    case 'paired_t':
      return { ...nothing, n, metric: options.metric ?? 'mae', ...pairedT(rows, options) };
    case 'paired_bootstrap':
      return { ...nothing, n, metric: options.metric ?? 'roc_auc', ...resampled(rows, options) };
  }
}

const nothing = {
  ...{ statistic: null, pValue: null, difference: null, lower: null, upper: null, reason: null },
  parameters: {},
};

type Finding = Partial<Compared>;

/** The test of which rows are right, with the interval of the difference of accuracies by the pairs' mean. */
function mcNemar({ labels, baseline, candidate }: ComparedRows, { test, alpha }: CompareOptions): Finding {
  requireClasses(labels, baseline, candidate);
  const counts = discordantCounts({ actual: labels, first: candidate, second: baseline });
  const found = mcNemarTest(counts);
  const [statistic, p] =
    test === 'mcnemar_chi_square'
      ? [found.chiSquare.value?.statistic ?? null, found.chiSquare.value?.p ?? null]
      : [found.exact.statistic, test === 'mcnemar_exact' ? found.exact.p : found.midP];
  const right = (outputs: ArrayLike<unknown>) =>
    Float64Array.from(labels, (label, i) => (outputs[i] === label ? 1 : 0));
  const pairs = pairedTTest({ first: right(candidate), second: right(baseline), alpha });
  const undefinedP = test === 'mcnemar_chi_square' ? found.chiSquare.reason : null;
  return {
    ...{ statistic, pValue: p, parameters: { ...counts } },
    ...(labels.length === 0
      ? { reason: 'There are no rows.', pValue: null, statistic: null }
      : { difference: (counts.onlyFirstRight - counts.onlySecondRight) / labels.length, reason: undefinedP }),
    ...(pairs.value === null ? {} : { lower: pairs.value.interval[0], upper: pairs.value.interval[1] }),
  };
}

/**
 * A class is equal to itself alone: 1, '1' and true would all be wrong of each other, and NaN of itself. Fractions beside
 * labels that are whole numbers are scores, of which almost every one would be wrong.
 */
function requireClasses(labels: ArrayLike<unknown>, ...outputs: readonly ArrayLike<unknown>[]): void {
  const kind = typeof labels[0];
  const refuse = (field: string, index: number, rule: string): never => {
    throw new DomainError('invalid_input', `${field} must hold ${rule}`, { details: { field, index } });
  };
  const oneKind = 'classes of one kind: text, numbers or booleans.';
  const areWhole = everyIndex(labels, (label, index) => {
    if (typeof label !== kind || Number.isNaN(label)) refuse('labels', index, oneKind);
    return Number.isInteger(label);
  });
  for (const column of outputs) {
    everyIndex(column, (output, index) => {
      if (typeof output !== kind || Number.isNaN(output)) refuse('outputs', index, oneKind);
      if (areWhole && !Number.isInteger(output)) {
        refuse(
          'outputs',
          index,
          'predicted classes, and holds fractions: if they are scores, cut them at your threshold.',
        );
      }
      return true;
    });
  }
}

/** Whether what `look` says holds of all; looks at every one. */
function everyIndex(column: ArrayLike<unknown>, look: (value: unknown, index: number) => boolean): boolean {
  let all = true;
  for (let index = 0; index < column.length; index++) all = look(column[index], index) && all;
  return all;
}

function deLong({ labels, baseline, candidate }: ComparedRows, alpha: number): Finding {
  const found = deLongTest({ labels: labelBits(labels), first: numbers(candidate), second: numbers(baseline) });
  if (found.value === null) return { reason: found.reason };
  const { difference, varianceOfDifference, z, p, aucFirst, aucSecond } = found.value;
  const reach = normal().inverseSf(alpha / 2) * Math.sqrt(varianceOfDifference);
  return {
    ...{ statistic: z.value, pValue: p.value, reason: p.reason, difference },
    ...{
      lower: difference - reach,
      upper: difference + reach,
      parameters: { baseline: aucSecond, candidate: aucFirst },
    },
  };
}

/** Of losses of single rows: absolute errors, or squares of probabilities. */
function pairedT({ labels, baseline, candidate }: ComparedRows, { metric = 'mae', alpha }: CompareOptions): Finding {
  if (metric !== 'mae' && metric !== 'brier') throw unknownMetric('paired_t', ['mae', 'brier']);
  const truth = metric === 'mae' ? numbers(labels) : labelBits(labels);
  const loss = (outputs: ArrayLike<unknown>) =>
    numbers(outputs).map((output, i) => {
      if (metric === 'brier' && !(output >= 0 && output <= 1)) {
        throw new DomainError(
          'invalid_input',
          'outputs must be probabilities, from 0 to 1, where the metric is brier.',
          {
            details: { field: 'outputs', index: i },
          },
        );
      }
      const error = output - (truth[i] ?? 0);
      return metric === 'mae' ? Math.abs(error) : error * error;
    });
  const found = pairedTTest({ first: loss(candidate), second: loss(baseline), alpha });
  if (found.value === null) return { reason: found.reason };
  const { difference, t, p, interval } = found.value;
  return { statistic: t, pValue: p, difference, lower: interval[0], upper: interval[1] };
}

const bootstrapped = [
  ...[
    'roc_auc',
    'average_precision',
    'accuracy',
    'precision',
    'recall',
    'specificity',
    'f1',
    'mcc',
    'brier',
    'log_loss',
  ],
  ...['mae', 'rmse', 'r2'],
];

function resampled(rows: ComparedRows, { metric = 'roc_auc', alpha, threshold, bootstrap }: CompareOptions): Finding {
  if (!bootstrapped.includes(metric)) throw unknownMetric('paired_bootstrap', bootstrapped);
  if (bootstrap === undefined) {
    throw new DomainError('invalid_input', 'bootstrap must name the seed where the test is paired_bootstrap.', {
      details: { field: 'bootstrap' },
    });
  }
  const isRegression = ['mae', 'rmse', 'r2'].includes(metric);
  const measure = isRegression ? regressionMeasure(rows, metric) : binaryMeasure(rows, metric, threshold);
  const all = Uint32Array.from({ length: rows.labels.length }, (_, row) => row);
  const whole = measure(all);
  const { seed, resamples = 1_000 } = bootstrap;
  const found = pairedBootstrap({
    ...{ rows: all.length, seed, resamples, alpha },
    statistic: (drawn) => measure(drawn).value,
  });
  if (whole.value === null) return { reason: whole.reason };
  const parameters = { threshold, seed, resamples, generator: 'mulberry32', skipped: found.value?.skipped ?? 0 };
  if (found.value === null) return { difference: whole.value, reason: found.reason, parameters };
  const [lower, upper] = found.value.interval;
  return { difference: whole.value, pValue: found.value.p, lower, upper, parameters };
}

type Measure = (rows: Uint32Array) => Outcome;

function binaryMeasure(rows: ComparedRows, metric: string, threshold: number): Measure {
  const labels = labelBits(rows.labels);
  const [baseline, candidate] = [numbers(rows.baseline), numbers(rows.candidate)];
  const probabilities = [...baseline, ...candidate].every((score) => score >= 0 && score <= 1);
  const task = binaryTask({ threshold, costs: { falsePositive: 1, falseNegative: 1 }, bins: 10, probabilities });
  const valueOf = (scores: Float64Array, drawn: Uint32Array) =>
    task.metrics(task.take({ labels, scores }, drawn), undefined).find((row) => row.metric === metric);
  return (drawn) => minus(valueOf(candidate, drawn), valueOf(baseline, drawn));
}

function regressionMeasure(rows: ComparedRows, metric: string): Measure {
  const [actual, baseline, candidate] = [numbers(rows.labels), numbers(rows.baseline), numbers(rows.candidate)];
  const task = regressionTask();
  const valueOf = (predicted: Float64Array, drawn: Uint32Array) =>
    task
      .metrics({ actual: takeNumbers(actual, drawn), predicted: takeNumbers(predicted, drawn) }, undefined)
      .find((row) => row.metric === metric);
  return (drawn) => minus(valueOf(candidate, drawn), valueOf(baseline, drawn));
}

interface Measured {
  readonly value: number | null;
  readonly reason: string | null;
}

function minus(candidate: Measured | undefined, baseline: Measured | undefined): Outcome {
  const [a, b] = [candidate?.value ?? null, baseline?.value ?? null];
  if (a !== null && b !== null) return { value: a - b, reason: null };
  return { value: null, reason: candidate?.reason ?? baseline?.reason ?? 'The metric is not defined.' };
}

/** What is no number is NaN, which the statistics refuse. */
function numbers(values: ArrayLike<unknown>): Float64Array {
  return Float64Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
}

function unknownMetric(test: string, known: readonly string[]): DomainError {
  return new DomainError('invalid_input', `metric must be one that ${test} compares: ${known.join(', ')}.`, {
    details: { field: 'metric' },
  });
}
