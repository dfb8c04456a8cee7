import {
  type ConfusionMatrix,
  confusionMatrix,
  type Label,
  labelReport,
  multiclassReport,
  type Outcome,
} from '@mcp-hub/stats';
import type { Cell, MetricValue } from '../evaluations/evaluation-parts.ts';
import { wilson } from './binary-metrics.ts';
import { totalOf } from './binary-task.ts';
import { metricOf, type Task, takeNumbers } from './task.ts';

export interface MulticlassRows {
  /** Indexes of classes, as are the predicted. */
  readonly actual: Uint32Array;
  readonly predicted: Uint32Array;
  /** One row of scores each, one score a class. */
  readonly scores?: readonly ArrayLike<number>[] | undefined;
  readonly weights?: ArrayLike<number> | undefined;
}

/**
 * Metrics of predicted classes, and of scores where there are some. Intervals: Wilson's of accuracy and of the classes'
 * precision and recall; none with weights.
 */
export function multiclassTask(classes: readonly string[]): Task<MulticlassRows> {
  const indexes = classes.map((_, index) => index);
  const nameOf = (index: number) => classes[index] ?? '';
  const matrixOf = ({ actual, predicted, weights }: MulticlassRows) =>
    confusionMatrix<Label>({ actual, predicted, labels: indexes, ...(weights === undefined ? {} : { weights }) });
  return {
    count: ({ actual }) => actual.length,
    weight: ({ actual, weights }) => (weights === undefined ? actual.length : totalOf(weights)),
    take: ({ actual, predicted, scores, weights }, numbers) => ({
      actual: Uint32Array.from(numbers, (row) => actual[row] ?? 0),
      predicted: Uint32Array.from(numbers, (row) => predicted[row] ?? 0),
      ...(scores === undefined ? {} : { scores: Array.from(numbers, (row) => scores[row] ?? []) }),
      ...(weights === undefined ? {} : { weights: takeNumbers(weights, numbers) }),
    }),
    metrics: (rows, alpha) => [
      ...labelMetrics(matrixOf(rows), classes, {
        n: rows.actual.length,
        alpha: rows.weights === undefined ? alpha : undefined,
      }),
      ...scoreMetrics(rows),
    ],
    cells: (rows) => {
      const weighted = matrixOf(rows);
      const counts = rows.weights === undefined ? weighted : matrixOf({ ...rows, weights: undefined });
      return counts.cells.flatMap((row, i) =>
        row.flatMap((n, j): readonly Cell[] =>
          n === 0 ? [] : [{ trueLabel: nameOf(i), predictedLabel: nameOf(j), n, weight: weighted.cells[i]?.[j] ?? 0 }],
        ),
      );
    },
  };

  function scoreMetrics({ actual, scores, weights }: MulticlassRows): readonly MetricValue[] {
    if (scores === undefined) return [];
    // The report knows no weights, and what would be said without them is not what was asked for.
    const report = weights === undefined ? multiclassReport({ actual, scores }) : undefined;
    const of = (metric: string, outcome: Outcome | undefined, classLabel = '') =>
      metricOf(metric, outcome ?? { value: null, reason: 'It is not defined for rows with weights.' }, { classLabel });
    return [
      of('roc_auc_macro', report?.rocAucMacro),
      of('roc_auc_one_vs_one', report?.rocAucOneVsOne),
      of('average_precision_macro', report?.averagePrecisionMacro),
      of('log_loss', report?.logLoss),
      of('brier', report?.brier),
      ...indexes.flatMap((index) => [
        of('roc_auc', report?.rocAucPerClass[index], nameOf(index)),
        of('average_precision', report?.averagePrecisionPerClass[index], nameOf(index)),
      ]),
    ];
  }
}

/** Metrics of a confusion matrix of class indexes; shares of its `n` rows with Wilson's interval where there is an `alpha`. */
export function labelMetrics(
  matrix: ConfusionMatrix,
  classes: readonly string[],
  { n: rows, alpha }: { readonly n: number; readonly alpha: number | undefined },
): readonly MetricValue[] {
  const report = labelReport(matrix, { zeroDivision: null });
  const share = (metric: string, outcome: Outcome, successes: number, n: number, classLabel = '') =>
    metricOf(metric, outcome, { classLabel, interval: wilson({ successes, n }, alpha) });
  const right = report.perClass.reduce((total, { tp }) => total + tp, 0);
  return [
    share('accuracy', report.accuracy, right, rows),
    metricOf('balanced_accuracy', report.balancedAccuracy),
    metricOf('mcc', report.mcc),
    metricOf('cohen_kappa', report.cohenKappa),
    ...(['macro', 'weighted'] as const).flatMap((average) => [
      metricOf(`precision_${average}`, report[average].precision),
      metricOf(`recall_${average}`, report[average].recall),
      metricOf(`f1_${average}`, report[average].f1),
    ]),
    ...report.perClass.flatMap(({ label, tp, fp, support, precision, recall, f1 }) => {
      const name = classes[Number(label)] ?? '';
      return [
        share('precision', precision, tp, tp + fp, name),
        share('recall', recall, tp, support, name),
        metricOf('f1', f1, { classLabel: name }),
      ];
    }),
  ];
}
