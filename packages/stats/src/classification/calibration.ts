import { sum } from '../arithmetic/compensated-sum.ts';
import { requireCount } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { checkedRows, type PredictedRows } from './predicted-rows.ts';

/** One bin of predicted probabilities, closed below and open above; the last one holds 1. */
export interface CalibrationBin {
  readonly lower: number;
  readonly upper: number;
  /** Rows, or their weight. */
  readonly n: number;
  /** Null where the bin is empty, as observedRate. */
  readonly meanPredicted: number | null;
  readonly observedRate: number | null;
}

/** How far predicted probabilities are from observed rates. */
export interface CalibrationErrors {
  /** Expected calibration error: Σ share |predicted - observed|. */
  readonly expected: number;
  /** √ Σ share (predicted - observed)². */
  readonly rootMeanSquare: number;
  readonly maximum: number;
}

/** The reliability table of probabilities in `bins` (default 10) bins of equal width. */
export function calibrationTable(
  rows: PredictedRows,
  { bins = 10 }: { readonly bins?: number } = {},
): readonly CalibrationBin[] {
  requireCount('bins', bins, 1);
  const { positive, probabilities, weights } = checkedRows(rows);
  const [counts, predicted, observed] = [new Float64Array(bins), new Float64Array(bins), new Float64Array(bins)];
  for (let i = 0; i < positive.length; i++) {
    const p = probabilities[i] ?? 0;
    const bin = binOf(p, bins);
    const weight = weights === undefined ? 1 : (weights[i] ?? 0);
    counts[bin] = (counts[bin] ?? 0) + weight;
    predicted[bin] = (predicted[bin] ?? 0) + weight * p;
    observed[bin] = (observed[bin] ?? 0) + weight * (positive[i] ?? 0);
  }
  return Array.from(counts, (n, bin) => ({
    lower: bin / bins,
    upper: (bin + 1) / bins,
    n,
    meanPredicted: n === 0 ? null : (predicted[bin] ?? 0) / n,
    observedRate: n === 0 ? null : (observed[bin] ?? 0) / n,
  }));
}

/** By the edges as numbers, since p · bins may round to the other side of one. */
function binOf(p: number, bins: number): number {
  const bin = Math.min(bins - 1, Math.floor(p * bins));
  if (p < bin / bins) return bin - 1;
  return bin + 1 < bins && p >= (bin + 1) / bins ? bin + 1 : bin;
}

/** Calibration errors over the bins of a table; empty bins add nothing. Undefined without rows. */
export function calibrationErrors(table: readonly CalibrationBin[]): Outcome<CalibrationErrors> {
  const total = sum(table.map(({ n }) => n));
  if (total === 0) return undefinedBecause('There are no rows.');
  const gaps = table.flatMap(({ n, meanPredicted, observedRate }) =>
    meanPredicted === null || observedRate === null
      ? []
      : [{ share: n / total, gap: Math.abs(meanPredicted - observedRate) }],
  );
  return defined({
    expected: sum(gaps.map(({ share, gap }) => share * gap)),
    rootMeanSquare: Math.sqrt(sum(gaps.map(({ share, gap }) => share * gap * gap))),
    maximum: Math.max(...gaps.map(({ gap }) => gap)),
  });
}
