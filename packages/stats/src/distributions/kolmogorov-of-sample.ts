import { requireCount } from '../inputs.ts';
import { type Distribution, refusingNaN, type Tails } from './distribution.ts';
import { durbinMatrix } from './kolmogorov-durbin.ts';
import { oneSidedTail } from './kolmogorov-one-sided.ts';
import { pelzGood } from './kolmogorov-pelz-good.ts';

/**
 * The distribution of D_n, the largest distance to either side of the empirical distribution function of n values from
 * the true one.
 *
 * By the regions of Simard and L'Ecuyer (2011), as scipy's kstwo: for n <= 140 by Durbin's matrix (1e-13 absolute) up to
 * n d² = 4; beyond 140 by Pelz and Good's expansion up to 2.2, to some 1e-9, and by the matrix for small d. Above, the upper
 * tail is twice the one-sided one, too great by a share of exp(-6 n d²): 2e-6 at 2.2, 4e-11 at 4. Throws `invalid_input`
 * unless n is an integer above 0.
 */
export function kolmogorovOfSample(n: number): Pick<Distribution, 'cdf' | 'sf'> {
  requireCount('n', n, 1);
  return { cdf: refusingNaN((d) => tails(n, d).lower), sf: refusingNaN((d) => tails(n, d).upper) };
}

function tails(n: number, d: number): Tails {
  const t = n * d;
  if (t <= 0.5) return { lower: 0, upper: 1 };
  if (d >= 1) return { lower: 1, upper: 0 };
  if (t <= 1) return fromLower(Math.exp(logFactorialShare(n) + n * Math.log(2 * t - 1)));
  if (t >= n - 1) return fromUpper(2 * Math.exp(n * Math.log1p(-d)));
  if (d >= 0.5 || t * d > (n <= 140 ? 4 : 2.2)) return fromUpper(2 * oneSidedTail(n, d));
  const matrix = n <= 140 || (n <= 100_000 && n * d ** 1.5 <= 1.4);
  return fromLower(matrix ? durbinMatrix(n, d) : pelzGood(n, d));
}

function fromLower(p: number): Tails {
  const lower = Math.min(1, Math.max(0, p));
  return { lower, upper: 1 - lower };
}

function fromUpper(p: number): Tails {
  const upper = Math.min(1, Math.max(0, p));
  return { lower: 1 - upper, upper };
}

/** ln(n! / n^n). */
function logFactorialShare(n: number): number {
  let total = 0;
  for (let i = 1; i < n; i++) total += Math.log1p((i - n) / n);
  return total;
}
