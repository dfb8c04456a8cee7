import { sum, sumOf } from '../arithmetic/compensated-sum.ts';
import { chiSquare } from '../distributions/chi-square.ts';
import { StatsError } from '../errors.ts';
import { refuseOverflow, requireNonNegative } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import type { ChiSquareTest } from './goodness-of-fit.ts';

/**
 * Pearson's chi-square test that rows and columns of a table of counts are independent, without Yates' correction.
 *
 * Empty rows and columns do not count. Undefined below two rows or two columns.
 */
export function independenceTest(table: readonly (readonly number[])[]): Outcome<ChiSquareTest> {
  const rows = withoutEmpty(table);
  const columns = rows[0]?.length ?? 0;
  if (rows.length < 2 || columns < 2) return undefinedBecause('The table has fewer than two rows or columns in use.');
  const rowSums = rows.map((row) => sum(row));
  const columnSums = Array.from({ length: columns }, (_, j) => sum(rows.map((row) => row[j] ?? 0)));
  const n = sum(rowSums);
  const statistic = sumOf(rows.length * columns, (k) => {
    const [i, j] = [Math.floor(k / columns), k % columns];
    const expected = (rowSums[i] ?? 0) * ((columnSums[j] ?? 0) / n);
    return ((rows[i]?.[j] ?? 0) - expected) ** 2 / expected;
  });
  refuseOverflow({ statistic });
  const degreesOfFreedom = (rows.length - 1) * (columns - 1);
  return defined({ statistic, degreesOfFreedom, p: chiSquare(degreesOfFreedom).sf(statistic) });
}

/** How strongly rows and columns go together, from 0 to 1. */
export interface CramersV {
  readonly v: number;
  /** By Bergsma (2013), which is 0 for what chance explains. */
  readonly biasCorrected: number;
}

/** Cramér's V = √(χ²/n / min(r - 1, c - 1)), plain and corrected for bias. Undefined as independenceTest. */
export function cramersV(table: readonly (readonly number[])[]): Outcome<CramersV> {
  const test = independenceTest(table);
  if (test.value === null) return test;
  const rows = withoutEmpty(table);
  const [r, c] = [rows.length, rows[0]?.length ?? 0];
  const n = sum(rows.map((row) => sum(row)));
  const square = test.value.statistic / n;
  const corrected = Math.max(0, square - ((r - 1) * (c - 1)) / (n - 1));
  const least = Math.min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1;
  if (!(least > 0)) return undefinedBecause('There are too few counts for so many rows and columns.');
  return defined({ v: Math.sqrt(square / Math.min(r - 1, c - 1)), biasCorrected: Math.sqrt(corrected / least) });
}

function withoutEmpty(table: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const width = table[0]?.length ?? 0;
  for (const row of table) {
    if (row.length !== width) throw new StatsError('All rows of a table must have the same length.');
    for (const count of row) requireNonNegative('a count', count);
  }
  const used = Array.from({ length: width }, (_, j) => j).filter((j) => table.some((row) => (row[j] ?? 0) > 0));
  return table.filter((row) => row.some((count) => count > 0)).map((row) => used.map((j) => row[j] ?? 0));
}
