import { brierScore, estimatedPerformance, logLoss, rocAuc, thresholdCurve } from '../../../src/index.ts';
import { plain } from './plain.ts';

interface Probabilities {
  readonly y: readonly number[];
  readonly p: readonly number[];
}

const rowsOf = ({ y, p }: Probabilities) => ({ labels: y, probabilities: p });

export const performanceKinds = {
  roc_auc: ({ y, score }: { y: number[]; score: number[] }) => ({
    auc: plain(rocAuc(thresholdCurve({ labels: y, scores: score }))),
  }),
  brier_score: (input: Probabilities) => ({ brier: plain(brierScore(rowsOf(input))) }),
  log_loss: (input: Probabilities) => ({ log_loss: plain(logLoss(rowsOf(input))) }),
  cbpe_binary(input: { calibrated_proba: number[]; predicted: number[] }) {
    const { tp, fp, fn, tn, accuracy, precision, recall, f1 } = estimatedPerformance({
      probabilities: input.calibrated_proba,
      predicted: input.predicted,
    });
    return {
      ...{ tp, fp, fn, tn },
      accuracy: plain(accuracy),
      precision: plain(precision),
      recall: plain(recall),
      f1: plain(f1),
    };
  },
};
