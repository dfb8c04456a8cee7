import { defined, type Outcome } from '../outcome.ts';
import { type Bootstrap, type BootstrapInput, bootstrap } from '../resampling/bootstrap.ts';

/** The bootstrap of a difference, with a test that it is 0. */
export interface PairedBootstrap extends Bootstrap {
  /** Two-sided; never below 2 / (draws + 1). */
  readonly p: number;
}

/**
 * The percentile bootstrap of a difference between two models on the same rows, whatever they are measured by.
 *
 * p = 2 (1 + the lesser of the draws at most 0 and at least 0) / (draws + 1), at most 1: the level at which the percentile
 * interval would reach 0 (Davison and Hinkley 1997, 4.4 and 5.4).
 */
export function pairedBootstrap(input: BootstrapInput): Outcome<PairedBootstrap> {
  let [below, above, draws] = [0, 0, 0];
  const found = bootstrap({
    ...input,
    statistic(rows) {
      const difference = input.statistic(rows);
      if (difference === null) return null;
      draws++;
      if (difference <= 0) below++;
      if (difference >= 0) above++;
      return difference;
    },
  });
  if (found.value === null) return found;
  return defined({ ...found.value, p: Math.min(1, (2 * (1 + Math.min(below, above))) / (draws + 1)) });
}
