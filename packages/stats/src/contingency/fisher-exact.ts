import { binomial } from '../distributions/binomial.ts';
import { requireCount } from '../inputs.ts';

/** A table of two rows and two columns of counts. */
export type TwoByTwo = readonly [readonly [number, number], readonly [number, number]];

/** Fisher's exact test. */
export interface FisherExact {
  /** Two-sided: all tables with the same margins that are as likely as this one or less. */
  readonly p: number;
  /** Of the first cell being as great as this or greater. */
  readonly pGreater: number;
  readonly pLess: number;
}

/**
 * Fisher's exact test of a 2 × 2 table, given its margins.
 *
 * Hypergeometric probabilities from the binomial ones (Loader), walked from the observed table by their ratios; tables
 * count as equally likely within 1e-7, as in R. The tail that the expected table is in is 1 less the other, which also holds
 * where the observed table is less likely than any number. Time grows with the smaller margin. All p of an empty table are 1.
 */
export function fisherExact([[a, b], [c, d]]: TwoByTwo): FisherExact {
  for (const count of [a, b, c, d]) requireCount('a count', count);
  const [row, column, n] = [a + b, a + c, a + b + c + d];
  if (n === 0) return { p: 1, pGreater: 1, pLess: 1 };
  const share = row / n;
  const observed =
    (binomial(column, share).density(a) * binomial(n - column, share).density(b)) / binomial(n, share).density(row);
  const limit = observed * (1 + 1e-7);
  // Σ over the tables above and below this one, and over those of them that are as unlikely as it.
  const walk = (step: 1 | -1) => {
    let all = 0;
    let unlikely = 0;
    let probability = observed;
    const last = step === 1 ? Math.min(row, column) : Math.max(0, row + column - n);
    for (let k = a; k !== last; k += step) {
      probability *=
        step === 1
          ? ((row - k) / (k + 1)) * ((column - k) / (n - row - column + k + 1))
          : (k / (row - k + 1)) * ((n - row - column + k) / (column - k + 1));
      if (probability === 0) break;
      all += probability;
      if (probability <= limit) unlikely += probability;
    }
    return { all, unlikely };
  };
  const [above, below] = [walk(1), walk(-1)];
  const held = (p: number) => Math.min(1, p);
  const isBelowExpected = a < column * share;
  return {
    p: held(observed + above.unlikely + below.unlikely),
    pGreater: held(isBelowExpected ? 1 - below.all : observed + above.all),
    pLess: held(isBelowExpected ? observed + below.all : 1 - above.all),
  };
}
