import { pinballLoss, regressionReport } from '@mcp-hub/stats';
import { totalOf } from './binary-task.ts';
import { metricOf, type Task, takeNumbers } from './task.ts';

export interface RegressionRows {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly weights?: ArrayLike<number> | undefined;
}

/** Errors of predicted numbers; `quantile` adds the pinball loss at its level. Intervals by the bootstrap alone. */
export function regressionTask(quantile?: number): Task<RegressionRows> {
  return {
    count: ({ actual }) => actual.length,
    weight: ({ actual, weights }) => (weights === undefined ? actual.length : totalOf(weights)),
    take: ({ actual, predicted, weights }, numbers) => ({
      actual: takeNumbers(actual, numbers),
      predicted: takeNumbers(predicted, numbers),
      ...(weights === undefined ? {} : { weights: takeNumbers(weights, numbers) }),
    }),
    metrics: ({ actual, predicted, weights }) => {
      const rows = { actual, predicted, ...(weights === undefined ? {} : { weights }) };
      const { mae, rmse, bias, r2 } = regressionReport(rows);
      return [
        ...[metricOf('mae', mae), metricOf('rmse', rmse), metricOf('bias', bias), metricOf('r2', r2)],
        ...(quantile === undefined ? [] : [metricOf('pinball_loss', pinballLoss(rows, quantile))]),
      ];
    },
    cells: () => [],
  };
}
