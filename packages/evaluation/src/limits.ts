/** Limits of evaluation. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const EVALUATION_LIMITS = {
  /** Of the name of a metric, a slice's feature, a split, a family of comparisons. */
  nameLength: 256,
  /** Of a gate; the registry's guard bears it behind `gate:`. */
  gateLength: 90,
  /** Of a class label and of a slice's value. */
  labelLength: 256,
  /** Of a dataset's name, and of its digest. */
  datasetLength: 256,
  codeVersionLength: 256,
  commentLength: 2_000,
  /** Classes of one evaluation; a confusion matrix has their square in cells. */
  classes: 1_000,
  /** Slices of one evaluation. */
  slices: 10_000,
  /** Distinct scores up to which each one is a threshold; beyond it, exact quantile cut points of this number. */
  thresholds: 1_000,
  /** Thresholds that tie for best, by each criterion: the highest of them. */
  tiedThresholds: 1_000,
  calibrationBins: 100,
  resamples: 100_000,
  /** Features of one evaluation's importances. */
  features: 10_000,
  /** Comparisons of one family. */
  familyMembers: 10_000,
  clauses: 100,
} as const;
