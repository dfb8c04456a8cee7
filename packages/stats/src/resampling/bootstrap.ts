import { sum } from '../arithmetic/compensated-sum.ts';
import { refuseOverflow, requireCount, requireFinite, requireOpenProbability } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { mulberry32 } from './mulberry32.ts';
import { quantileOfSorted } from './quantile.ts';

export interface BootstrapInput {
  /** Rows of the sample. */
  readonly rows: number;
  /** The statistic of rows drawn with replacement, finite; null where they do not define it, and the draw is skipped. */
  readonly statistic: (rows: Uint32Array) => number | null;
  /** Default 1000. */
  readonly resamples?: number;
  readonly seed: number;
  /** Default 0.05. */
  readonly alpha?: number;
}

/** What resampling says of a statistic. */
export interface Bootstrap {
  readonly generator: 'mulberry32';
  readonly seed: number;
  readonly resamples: number;
  /** Draws that did not define the statistic. */
  readonly skipped: number;
  readonly mean: number;
  /** Null where one draw alone defines the statistic. */
  readonly standardError: number | null;
  /** Percentiles alpha/2 and 1 - alpha/2, linear (type 7). */
  readonly interval: readonly [lower: number, upper: number];
}

/**
 * The percentile bootstrap of a statistic of rows (Efron 1979). For two models on the same rows the statistic is their
 * difference, which keeps the rows paired.
 *
 * Row numbers are floor(r n) of mulberry32(seed), so a result can be repeated from what it names. `rows` is one array that
 * is filled anew: copy what is to be kept. Undefined without rows or without a draw that defines the statistic.
 */
export function bootstrap(input: BootstrapInput): Outcome<Bootstrap> {
  const { statistic, seed } = input;
  const n = requireCount('rows', input.rows);
  const resamples = requireCount('resamples', input.resamples ?? 1000, 1);
  const alpha = requireOpenProbability('alpha', input.alpha ?? 0.05);
  const random = mulberry32(seed);
  if (n === 0) return undefinedBecause('There are no rows.');
  const rows = new Uint32Array(n);
  const values = new Float64Array(resamples);
  let kept = 0;
  for (let draw = 0; draw < resamples; draw++) {
    for (let i = 0; i < n; i++) rows[i] = Math.floor(random() * n);
    const value = statistic(rows);
    if (value !== null) values[kept++] = requireFinite('statistic', value);
  }
  if (kept === 0) return undefinedBecause('No resample defines the statistic.');
  const sorted = values.slice(0, kept).sort();
  const mean = sum(sorted) / kept;
  const standardError = kept < 2 ? null : Math.sqrt(sum(sorted.map((value) => (value - mean) ** 2)) / (kept - 1));
  refuseOverflow({ mean, standardError });
  return defined({
    generator: 'mulberry32',
    seed,
    resamples,
    skipped: resamples - kept,
    mean,
    standardError,
    interval: [quantileOfSorted(sorted, alpha / 2), quantileOfSorted(sorted, 1 - alpha / 2)],
  });
}
