import type { EvaluationTask, JsonObject } from './schema.ts';

/** A statistic of some rows as it is stored: undefined is null with a reason. */
export interface MetricValue {
  readonly metric: string;
  /** Of a metric of one class; empty: of all. */
  readonly classLabel: string;
  readonly value: number | null;
  readonly reason: string | null;
  readonly lower: number | null;
  readonly upper: number | null;
  /** How the interval was made; null without one. */
  readonly intervalMethod: string | null;
}

/** Which rows of an evaluation: both empty for all of them. */
export interface SliceKey {
  readonly sliceFeature: string;
  readonly sliceValue: string;
}

/** A metric of the whole evaluation or of a slice. `n` are the rows of that slice, `weight` the sum of their weights. */
export interface MetricRow extends MetricValue, SliceKey {
  readonly n: number;
  readonly weight: number;
}

/** Rows of one true class that were predicted as another. */
export interface Cell {
  readonly trueLabel: string;
  readonly predictedLabel: string;
  readonly n: number;
  readonly weight: number;
}

export interface CellRow extends Cell, SliceKey {}

/** What a binary classifier does at a threshold: a row of threshold_analysis. */
export interface ThresholdPart {
  readonly threshold: number;
  readonly tp: number;
  readonly fp: number;
  readonly tn: number;
  readonly fn: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly specificity: number | null;
  readonly f1: number | null;
  readonly cost: number | null;
  readonly bestF1: boolean;
  readonly bestYouden: boolean;
  readonly bestCost: boolean;
}

/** A bin of scores: a row of calibration_bins. */
export interface CalibrationPart {
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly weight: number;
  readonly meanScore: number | null;
  readonly positiveRate: number | null;
}

/** All that one evaluation says, before it is stored: from arrays or from SQL. */
export interface EvaluationParts {
  readonly task: EvaluationTask;
  readonly n: number;
  readonly weight: number;
  /** Level of the intervals. */
  readonly confidence: number;
  /** What the numbers depend on. */
  readonly parameters: JsonObject;
  readonly metrics: readonly MetricRow[];
  readonly cells: readonly CellRow[];
  readonly thresholds: readonly ThresholdPart[];
  readonly bins: readonly CalibrationPart[];
}
