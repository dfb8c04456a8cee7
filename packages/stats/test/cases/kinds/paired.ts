import {
  aucDifferenceBootstrap,
  type DiscordantCounts,
  deLongTest,
  discordantCounts,
  mcNemarTest,
} from '../../../src/index.ts';
import { plain, shaped } from './plain.ts';

/** [[both right, only A right], [only B right, both wrong]]. */
type PairedTable = readonly [readonly [number, number], readonly [number, number]];
type PairedCase =
  | { readonly tables: readonly PairedTable[] }
  | { readonly y_true: readonly number[]; readonly pred_a: readonly number[]; readonly pred_b: readonly number[] }
  | { readonly y_true: readonly number[]; readonly score_a: readonly number[]; readonly score_b: readonly number[] };

function mcNemarOf(counts: DiscordantCounts) {
  const test = mcNemarTest(counts);
  return {
    a_right_b_wrong: counts.onlyFirstRight,
    a_wrong_b_right: counts.onlySecondRight,
    discordant: test.discordant,
    exact: test.exact,
    chi2: plain(test.chiSquare),
    chi2_cc: plain(test.continuityCorrected),
    mid_p: test.midP,
  };
}

function scoresOf(labels: readonly number[], first: readonly number[], second: readonly number[]) {
  const test = shaped(deLongTest({ labels, first, second }), (found) => ({
    auc_a: found.aucFirst,
    auc_b: found.aucSecond,
    diff: found.difference,
    var_a: found.varianceFirst,
    var_b: found.varianceSecond,
    cov_ab: found.covariance,
    var_diff: found.varianceOfDifference,
    z: plain(found.z),
    p_two_sided: plain(found.p),
  }));
  const resampled = shaped(aucDifferenceBootstrap({ labels, first, second, seed: 42 }), (found) => ({
    rng: found.generator,
    seed: found.seed,
    resamples: found.resamples,
    skipped_single_class: found.skipped,
    mean: found.mean,
    ci95: found.interval,
    quantile: 'linear (numpy default / R type 7)',
  }));
  return { ...test, ...resampled };
}

export const pairedKinds = {
  'paired-test'(input: PairedCase) {
    if ('tables' in input) {
      return input.tables.map((table) => ({
        table,
        ...mcNemarOf({ onlyFirstRight: table[0][1], onlySecondRight: table[1][0] }),
      }));
    }
    if ('pred_a' in input) {
      return mcNemarOf(discordantCounts({ actual: input.y_true, first: input.pred_a, second: input.pred_b }));
    }
    return scoresOf(input.y_true, input.score_a, input.score_b);
  },
};
