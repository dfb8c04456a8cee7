/** Limits of experiments. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const EXPERIMENT_LIMITS = {
  /** Of the key of an experiment, variant, metric, layer or holdout. */
  keyLength: 100,
  /** Of the seed that the hash of an experiment, layer or holdout takes. */
  seedLength: 256,
  /** Of the unit that is assigned. */
  unitLength: 256,
  /** Units that one call assigns or previews; assignQuery has no limit. */
  unitsAtOnce: 10_000,
  /** Of the name of an outcome that is recorded. */
  outcomeLength: 250,
  hypothesisLength: 4_000,
  descriptionLength: 2_000,
  reasonLength: 2_000,
  variants: 20,
  metrics: 50,
  /** Exposures of one recordExposures. */
  exposuresAtOnce: 20_000,
  /** Outcomes of one recordOutcomes. */
  outcomesAtOnce: 20_000,
  /** Attributes of a unit that are kept with its first exposure. */
  slices: 8,
  sliceNameLength: 64,
  sliceValueLength: 128,
  /** Of an outcome, in size: the square of what they differ by, added up over 10^9 of them, has to stay a float8. */
  valueSize: 1e140,
  /** How far the time of an exposure or outcome may lie ahead of the clock. */
  aheadMs: 3_600_000,
  /** Rows of one transaction of pruneOutcomes. */
  pruneBatch: 50_000,
  /** Holdouts of one experiment. */
  holdouts: 10,
  /** Attributes that one targeting declares. */
  targetingAttributes: 50,
  /** Of the name of an attribute of units. */
  attributeLength: 100,
  /** Delay, conversion window and CUPED window of a metric: ten years. */
  windowMs: 315_360_000_000,
} as const;
