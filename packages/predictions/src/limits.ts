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
  /** Of input and parameters of a cached prediction, as canonical JSON in UTF-8. */
  cacheInputBytes: 1_000_000,
  /** Arrays and objects inside each other, of inputs and outputs. */
  cacheDepth: 100,
  /** Of an output as JSON in UTF-8; a longer one is returned and not kept. */
  cacheOutputBytes: 1_000_000,
  /** Of the outputs of one version together. */
  cacheMaxBytes: 1_000_000_000_000,
  /** Outputs of one version. */
  cacheMaxEntries: 1_000_000,
  /** How long an output may serve: a year. */
  cacheTtlMs: 31_536_000_000,
  /** A lease on a computation is at least a second long. */
  cacheLeaseMsMin: 1_000,
  /** A lease on a computation is an hour long at most; it is renewed while the computation runs. */
  cacheLeaseMs: 3_600_000,
  /** How long hits are counted in the process before they are written. */
  cacheUsageMs: 5_000,
  /** Cached outputs that one transaction deletes. */
  cachePruneBatch: 10_000,
} as const;
