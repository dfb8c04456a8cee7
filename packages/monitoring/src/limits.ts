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
} as const;
