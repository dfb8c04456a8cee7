import { sumOf } from '../arithmetic/compensated-sum.ts';
import { StatsError } from '../errors.ts';
import { type Outcome, ratio } from '../outcome.ts';
import { checkedRows, type PredictedRows } from './predicted-rows.ts';

/** 2^-52: what a probability of 0 or 1 is taken for in logarithms, so that a certain error costs 36.04 and not ∞. */
export const defaultClip = Number.EPSILON;

/** Brier's score: the mean of (p - y)². Undefined without rows. */
export function brierScore(rows: PredictedRows): Outcome {
  return meanLoss(rows, (positive, p) => (positive ? (1 - p) ** 2 : p * p));
}

/** Logarithmic loss in nats: the mean of -ln of the probability of what happened, held in [clip, 1 - clip]. Undefined without rows. */
export function logLoss(rows: PredictedRows, { clip = defaultClip }: { readonly clip?: number } = {}): Outcome {
  if (!(clip >= 0 && clip < 0.5)) throw new StatsError('clip must be at least 0 and below 1/2.');
  return meanLoss(rows, (positive, p) => {
    const held = Math.min(1 - clip, Math.max(clip, p));
    return positive ? -Math.log(held) : -Math.log1p(-held);
  });
}

function meanLoss(rows: PredictedRows, loss: (positive: boolean, p: number) => number): Outcome {
  const { positive, probabilities, weightOf, total } = checkedRows(rows);
  const sumOfLosses = sumOf(positive.length, (i) => weightOf(i) * loss(positive[i] === 1, probabilities[i] ?? 0));
  return ratio(sumOfLosses, total, 'There are no rows.');
}
