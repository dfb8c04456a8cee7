import type { ThresholdCurve } from '../classification/threshold-curve.ts';
import { normal } from '../distributions/normal.ts';
import { requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import type { AucInterval } from './delong.ts';

/**
 * As aucInterval, from a curve of rows without weights that is there already: rows of equal score have one placement, so
 * that no row need be looked at again. Undefined below two rows of a class.
 */
export function aucIntervalOfCurve(
  { tp, fp, positives, negatives }: ThresholdCurve,
  alpha = 0.05,
): Outcome<AucInterval> {
  const z = normal().inverseSf(requireOpenProbability('alpha', alpha) / 2);
  if (positives < 2 || negatives < 2) return undefinedBecause('Each class needs two rows.');
  // A placement is the share of the other class that a row outranks, or is outranked by; ties as half.
  let area = 0;
  let tpBefore = 0;
  let fpBefore = 0;
  for (let i = 0; i < tp.length; i++) {
    const tpHere = tp[i] ?? 0;
    const fpHere = fp[i] ?? 0;
    area += (tpHere - tpBefore) * ((negatives - (fpHere + fpBefore) / 2) / negatives);
    tpBefore = tpHere;
    fpBefore = fpHere;
  }
  const auc = area / positives;
  let spreadOfPositive = 0;
  let spreadOfNegative = 0;
  tpBefore = 0;
  fpBefore = 0;
  for (let i = 0; i < tp.length; i++) {
    const tpHere = tp[i] ?? 0;
    const fpHere = fp[i] ?? 0;
    const ofPositive = (negatives - (fpHere + fpBefore) / 2) / negatives - auc;
    const ofNegative = (tpHere + tpBefore) / 2 / positives - auc;
    spreadOfPositive += (tpHere - tpBefore) * ofPositive * ofPositive;
    spreadOfNegative += (fpHere - fpBefore) * ofNegative * ofNegative;
    tpBefore = tpHere;
    fpBefore = fpHere;
  }
  const standardError = Math.sqrt(
    spreadOfPositive / (positives - 1) / positives + spreadOfNegative / (negatives - 1) / negatives,
  );
  const interval = [Math.max(0, auc - z * standardError), Math.min(1, auc + z * standardError)] as const;
  return defined({ auc, standardError, interval });
}
