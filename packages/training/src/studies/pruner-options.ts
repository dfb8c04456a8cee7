import { z } from 'zod';

const steps = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(0).max(1_000_000);

const againstOthers = {
  /** Trials that must be complete before any is pruned. Default 5. */
  startupTrials: count.optional(),
  /** Nothing is pruned at steps below this one. Default 0. */
  warmupSteps: steps.optional(),
  /** Between two decisions about a trial, from the end of the warm-up on. Default 1: at each step. */
  intervalSteps: steps.min(1).optional(),
  /** Complete trials that must have reported at the step. Default 1. */
  minTrials: count.min(1).optional(),
};

const Median = z.strictObject({ kind: z.literal('median'), ...againstOthers }).readonly();

const Percentile = z
  .strictObject({
    kind: z.literal('percentile'),
    /** The share of trials that go on, in percent: 25 keeps the best quarter. */
    percentile: z.number().min(0).max(100),
    ...againstOthers,
  })
  .readonly();

const Asha = z
  .strictObject({
    kind: z.literal('asha'),
    /** The step at which the first decision falls. Default 1. */
    minResource: steps.min(1).optional(),
    /** One of so many goes on to the next rung, which is so many times as far. Default 4. */
    reductionFactor: z.int().min(2).max(1_000).optional(),
    /** Rungs that are left out at the beginning. Default 0. */
    minEarlyStoppingRate: z.int().min(0).max(50).optional(),
    /** Trials that must have come to a rung before one goes on from it. Default 0. */
    bootstrapCount: count.optional(),
  })
  .readonly();

/**
 * When a trial is stopped early, decided with each value that it reports. `median` and `percentile`: its best value so
 * far is worse than that percentile of what the complete trials reported at this step. `asha`: asynchronous successive
 * halving (Li et al. 2018, arXiv:1810.05934). Rules and defaults are Optuna's, but that ASHA's minResource is not estimated.
 */
export const PrunerOptions = z.discriminatedUnion('kind', [Median, Percentile, Asha]);
export type PrunerOptions = z.infer<typeof PrunerOptions>;
