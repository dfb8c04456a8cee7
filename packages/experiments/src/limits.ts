/** Limits of experiments. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const EXPERIMENT_LIMITS = {
  /** Of the key of an experiment, variant, metric, layer or holdout. */
  keyLength: 100,
  /** Of the seed that the hash of an experiment, layer or holdout takes. */
  seedLength: 256,
  /** Of the unit that is assigned. */
  unitLength: 256,
  /** Of the name of an outcome that is recorded. */
  outcomeLength: 250,
  hypothesisLength: 4_000,
  descriptionLength: 2_000,
  reasonLength: 2_000,
  variants: 20,
  metrics: 50,
  /** Holdouts of one experiment. */
  holdouts: 10,
  /** Attributes that one targeting declares. */
  targetingAttributes: 50,
  /** Of the name of an attribute of units. */
  attributeLength: 100,
  /** Delay, conversion window and CUPED window of a metric: ten years. */
  windowMs: 315_360_000_000,
} as const;
