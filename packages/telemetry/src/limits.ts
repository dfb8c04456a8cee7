/** Limits of telemetry. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const TELEMETRY_LIMITS = {
  /** Events of one recordTelemetry. */
  batchSize: 10_000,
  subjectLength: 256,
  metricLength: 128,
  unitLength: 32,
  labelsPerEvent: 16,
  labelKeyLength: 64,
  labelValueLength: 256,
  /** Different sets of labels of one metric, where setMetric gave it no limit of its own. */
  labelSetsDefault: 1_000,
  /** The highest limit that setMetric gives. */
  labelSetsMax: 100_000,
  /** Finite values, in size: the square of what they differ by, added up over 10^9 of them, has to stay a float8. */
  valueSize: 1e140,
  /** How far an event's time may lie ahead of the clock. */
  aheadMs: 86_400_000,
  /** Buckets of one refreshAggregates. */
  bucketsAtOnce: 10_000,
  /** Points of one series that is read. */
  points: 10_000,
  /** Series that one read brings together. */
  seriesAtOnce: 1_000,
  percentiles: 20,
  topSubjects: 1_000,
  /** Rows of one transaction of pruneTelemetry. */
  pruneBatchSize: 50_000,
} as const;
