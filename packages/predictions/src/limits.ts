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
  /** Labels of one recordLabels. */
  labelsAtOnce: 100_000,
  /** Observations of a subject that getLabelHistory gives beside the one that holds. */
  labelHistory: 1_000,
  /** Spans of time that one readTraffic gives. */
  trafficBuckets: 10_000,
  /** Bins of one countScores. */
  scoreBins: 1_000,
  /** Rows of one transaction of prunePredictions. */
  pruneBatch: 50_000,
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
  /** Of a batch job's name. */
  jobNameLength: 256,
  reasonLength: 2_000,
  /** Of the reason of a dead letter and of a chunk's last failure; longer ones are cut. */
  deadLetterReasonLength: 10_000,
  /** A job's priority is from minus this to this. */
  priority: 1_000_000,
  /** Rows of a chunk. */
  chunkRows: 10_000,
  /** Rows of a chunk together, as JSON; a chunk that would be longer has fewer rows. */
  chunkLength: 4_000_000,
  /** Rows of a job that one call of submitBatchJob is given. */
  rowsAtOnce: 1_000_000,
  /** Rows of a job, from wherever they come. */
  jobRows: 4_294_967_296,
  /** Of a cap on the chunks that are worked on. */
  runningChunks: 1_000_000,
  attempts: 1_000,
  /** A lease on a chunk, and so the time until a killed worker is noticed: at least. */
  leaseMsMin: 100,
  /** A lease on a chunk, and a back-off: a day at most. */
  leaseMs: 86_400_000,
  /** How long the next rows of a submission are waited for. */
  submissionMs: 900_000,
  /** Chunks that one sweep takes back. */
  sweepBatch: 1_000,
  /** Chunks that one worker predicts at a time. */
  workerConcurrency: 1_000,
  /** Predictions that a writer has taken and not yet written. */
  writerRows: 1_000_000,
  /** About what they take in memory together. */
  writerBytes: 1_000_000_000,
  /** Predictions that a writer writes in one transaction. */
  writerFlushRows: 10_000,
  /** How long a writer may wait for more to write: a minute. */
  writerFlushMs: 60_000,
  /** The pause of a writer between two attempts: ten minutes at most. */
  writerRetryMs: 600_000,
  /** How long closing a writer may take: an hour at most. */
  writerCloseMs: 3_600_000,
  /** Batches that the writers of one pool write at a time. */
  writerFlights: 4,
  /** Rows of a row group of a Parquet export: encoding one stops the process's loop, 50,000 rows for a second. */
  exportGroupRows: 10_000,
  /** Rows times columns of a row group; with more columns it has fewer rows. */
  exportGroupValues: 500_000,
} as const;
