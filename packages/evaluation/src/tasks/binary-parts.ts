import { DomainError } from '@mcp-hub/db-core';
import type { Costs } from '@mcp-hub/stats';
import type { EvaluationParts } from '../evaluations/evaluation-parts.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { calibrationParts, thresholdParts } from './binary-curves.ts';
import { type BinaryInput, binaryColumns, binaryTask, calibrationOf, curveOf } from './binary-task.ts';
import { type MeasureOptions, measureRows } from './measure-rows.ts';

export interface BinaryOptions extends MeasureOptions {
  readonly threshold?: number | undefined;
  readonly costs?: Costs | undefined;
  readonly bins?: number | undefined;
  readonly thresholds?: number | undefined;
}

/** All that is stored of a binary classifier's rows. Pure. */
export function binaryParts(rows: BinaryInput, options: BinaryOptions): EvaluationParts {
  const { threshold = 0.5, costs = { falsePositive: 1, falseNegative: 1 }, bins = 10 } = options;
  const given = binaryColumns(rows);
  const probabilities = areProbabilities(given.scores);
  const curve = curveOf(given);
  const analysis = thresholdParts(curve, costs, options.thresholds ?? EVALUATION_LIMITS.thresholds);
  const calibration = probabilities ? calibrationOf(given, bins) : undefined;
  const task = binaryTask({ threshold, costs, bins, probabilities });
  const measured = measureRows(task, { ...given, curve, calibration }, options);
  return {
    ...measured,
    task: 'binary',
    parameters: { threshold, costs, ...analysis.parameters, ...measured.parameters },
    thresholds: analysis.thresholds,
    bins: calibration === undefined ? [] : calibrationParts(given, calibration),
  };
}

/** Labels as 1 and 0: by `positiveLabel` where there is one, else they are 0 and 1 or booleans already. */
export function labelBits(labels: ArrayLike<unknown>, positiveLabel?: string | number): Uint8Array {
  const bits = new Uint8Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    if (positiveLabel === undefined ? label === 1 || label === true : label === positiveLabel) bits[row] = 1;
    else if (positiveLabel === undefined && label !== 0 && label !== false) {
      throw new DomainError('invalid_input', 'labels must hold 0 and 1 only. Name the positive one in positiveLabel.', {
        details: { field: 'labels', index: row },
      });
    }
  }
  return bits;
}

function areProbabilities(scores: Float64Array): boolean {
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row] ?? Number.NaN;
    if (!(score >= 0 && score <= 1)) return false;
  }
  return true;
}
