import { compensated } from '../arithmetic/compensated-sum.ts';
import { sumError } from '../arithmetic/exact.ts';
import { StatsError } from '../errors.ts';
import { type Outcome, ratio } from '../outcome.ts';
import { checkedRows, type PredictedRows } from './predicted-rows.ts';

/** 2^-52: what a probability of 0 or 1 is taken for in logarithms, so that a certain error costs 36.04 and not ∞. */
export const defaultClip = Number.EPSILON;

const noRows = 'There are no rows.';

// Both add their terms as sumOf does, but not by it: a call for each of a million rows takes longer than all the rest.

/** Brier's score: the mean of (p - y)². Undefined without rows. */
export function brierScore(rows: PredictedRows): Outcome {
  const { positive, probabilities, weights, total } = checkedRows(rows);
  let losses = 0;
  let lost = 0;
  for (let i = 0; i < positive.length; i++) {
    const error = (probabilities[i] ?? 0) - (positive[i] ?? 0);
    const loss = weights === undefined ? error * error : (weights[i] ?? 0) * (error * error);
    const next = losses + loss;
    lost += sumError(losses, loss, next);
    losses = next;
  }
  return ratio(compensated(losses, lost), total, noRows);
}

/** Logarithmic loss in nats: the mean of -ln of the probability of what happened, held in [clip, 1 - clip]. Undefined without rows. */
export function logLoss(rows: PredictedRows, { clip = defaultClip }: { readonly clip?: number } = {}): Outcome {
  if (!(clip >= 0 && clip < 0.5)) throw new StatsError('clip must be at least 0 and below 1/2.');
  const { positive, probabilities, weights, total } = checkedRows(rows);
  let losses = 0;
  let lost = 0;
  for (let i = 0; i < positive.length; i++) {
    const held = Math.min(1 - clip, Math.max(clip, probabilities[i] ?? 0));
    const logarithm = positive[i] === 1 ? -Math.log(held) : -Math.log1p(-held);
    const loss = weights === undefined ? logarithm : (weights[i] ?? 0) * logarithm;
    const next = losses + loss;
    lost += sumError(losses, loss, next);
    losses = next;
  }
  return ratio(compensated(losses, lost), total, noRows);
}
