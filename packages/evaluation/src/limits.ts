/** Limits of evaluation. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const EVALUATION_LIMITS = {
  /** Of the name of a metric, a slice's feature, a family of comparisons, a gate. */
  nameLength: 256,
  /** Of a class label and of a slice's value. */
  labelLength: 256,
  datasetLength: 256,
  codeVersionLength: 256,
  reasonLength: 2_000,
  /** Of parameters and of a gate's clauses, as JSON text. */
  jsonLength: 100_000,
  /** Classes of one evaluation; a confusion matrix has their square in cells. */
  classes: 1_000,
  /** Slices of one evaluation. */
  slices: 10_000,
  /** Distinct scores up to which each one is a threshold; beyond it, exact quantile cut points of this number. */
  thresholds: 1_000,
  /** Features of one evaluation's importances. */
  features: 10_000,
  /** Metrics that a caller adds to an evaluation. */
  metrics: 10_000,
  clauses: 100,
} as const;
