/** Limits of training. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const TRAINING_LIMITS = {
  /** Of the name of a run or a study, and of a group. */
  nameLength: 256,
  /** Of the key of a param, a tag or a metric. */
  keyLength: 250,
  paramValueLength: 6_000,
  tagValueLength: 8_000,
  /** Params or tags given with one call. */
  pairsAtOnce: 1_000,
  /** Points given with one logBatch. */
  pointsAtOnce: 100_000,
  /** Points of one page of a metric's history. */
  pointsPageDefault: 1_000,
  pointsPage: 10_000,
  /** Points of a sampled series: at least, by default, at most. */
  samplePointsMin: 5,
  samplePointsDefault: 1_000,
  samplePoints: 10_000,
  /** Runs whose series are read with one call. */
  seriesAtOnce: 100,
  /** Metric keys of one run. */
  metricKeys: 10_000,
  codeVersionLength: 256,
  datasetLength: 256,
  descriptionLength: 5_000,
  reasonLength: 2_000,
  /** Of the error that a failed run or trial ended with; longer text is cut by the caller. */
  errorLength: 10_000,
  /** Of environment, metadata, a search space and each other document, as JSON text. */
  jsonLength: 100_000,
  artifactPathLength: 1_024,
  artifactUriLength: 2_048,
  artifactKindLength: 100,
  artifactsAtOnce: 1_000,
  /** A lease, and so the time until a killed worker is noticed: at least, at most. */
  leaseMsMin: 100,
  leaseMs: 86_400_000,
  attempts: 1_000,
  /** Runs of a page of a search where the caller names no limit, and at the most. */
  searchPage: 1_000,
  searchPageMax: 50_000,
  /** Runs that are compared with each other. */
  runsCompared: 100,
  /** Runs that one sweep makes stale. */
  sweepBatch: 1_000,
  /** Points that one transaction of a purge deletes. */
  purgeBatch: 100_000,
  /** Trials enqueued with one call. */
  trialsAtOnce: 1_000,
  /** Trials that one runStudy runs at a time. */
  workers: 1_000,
  /** Of a study: 366 days. */
  timeBudgetMs: 31_622_400_000,
  objectives: 10,
  /** Parameters of one search space, conditional ones among them. */
  searchSpaceParams: 200,
  categoricalChoices: 1_000,
  /** Values of one parameter that a grid names. */
  gridPoints: 1_000,
  /** Ended trials that TPE looks at: the best ones, and the last ones up to this number. */
  tpeHistory: 1_000,
} as const;
