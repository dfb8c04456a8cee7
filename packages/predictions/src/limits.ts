/** Limits of predictions. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const PREDICTION_LIMITS = {
  /** Of the unit that labels and experiments join on. */
  subjectLength: 256,
  /** Of a predicted or true class. */
  labelLength: 256,
  featureNameLength: 250,
  /** Of a feature's category. */
  categoryLength: 1_000,
  /** Numbers, and categories, that the predictions of one version have in all. */
  features: 2_000,
  /** Of a full output, as JSON text. */
  outputLength: 100_000,
  /** Of the key of an experiment and the name of its variant. */
  experimentLength: 256,
  /** How far ahead of the database's clock a prediction or label may lie: one hour. */
  aheadMs: 3_600_000,
} as const;
