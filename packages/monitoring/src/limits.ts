/** Limits of monitoring. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const MONITORING_LIMITS = {
  /** Of the name of a baseline or rule. */
  nameLength: 250,
  /** Of the name of a feature, as of predictions. */
  featureNameLength: 250,
  /** Of a number's grid. */
  numberBins: 100,
  /** Of a category's grid. */
  categoryBins: 200,
  /** Categories that a baseline knows of one field. */
  knownCategories: 1_000,
  /** Of an array given to createBaseline. */
  baselineRows: 1_000_000,
  /** Days of one check. */
  windowDays: 366,
  /** Ages of one maturity curve. */
  maturityAges: 50,
  /** Of the age at which labels are compared: a year. */
  ageMs: 31_622_400_000,
  /** Of a class, as of predictions. */
  labelLength: 256,
  /** Days that one call of refreshProfiles makes anew. */
  daysAtOnce: 100,
  /** Of a comment on an acknowledgement, silence or resolve. */
  commentLength: 2_000,
  /** Conditions on sources in one rule. */
  conditionLeaves: 10,
  /** Combinations inside each other. */
  conditionDepth: 4,
  /** Keys that tell the series of a rule apart. */
  byKeys: 8,
  /** Of the window of a condition, and how far back the one lies that it is compared with: 31 days. */
  windowMs: 2_678_400_000,
  /** Between two evaluations of a rule: from a second to a day. */
  intervalMsMin: 1_000,
  intervalMs: 86_400_000,
  /** Of for, keep firing for, cooldown and repeats: 31 days. */
  durationMs: 2_678_400_000,
  /** Labels that a rule gives its alerts. */
  ruleLabels: 16,
  labelKeyLength: 64,
  labelValueLength: 256,
  /** Series of one rule. */
  seriesOfRule: 1_000,
  /** Rules of one transaction of the monitor. */
  rulesAtOnce: 1_000,
  /** Evaluations of one back-test. */
  backtestSteps: 10_000,
  /** Of one silence or one side of an inhibition. */
  matchers: 16,
  /** Of a silence: a year. */
  silenceMs: 31_536_000_000,
  /** Silences and inhibitions of a tenant at a time. */
  silences: 1_000,
  inhibitions: 100,
  channels: 100,
  /** Deliveries that one call of pruneAlertDeliveries deletes. */
  pruneBatch: 10_000,
  urlLength: 2_000,
  secretLengthMin: 16,
  secretLength: 256,
} as const;
