import { binomial } from './binomial.ts';

// Above this many terms the sum is taken at every so-manieth.
const mostTerms = 2000;

/**
 * P(D_n⁺ >= d), the largest distance to one side: d Σ_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j) over j <= n (1 - d).
 *
 * Birnbaum and Tingey (1951); each term is a binomial probability over d + j/n, so all are positive and none overflows.
 * The terms are a smooth function of j that vanishes with all its derivatives at both ends, so that for a large n the sum
 * over every h-th j, times h, is the sum to all digits (the trapezoidal rule).
 */
export function oneSidedTail(n: number, d: number): number {
  const last = Math.floor(n * (1 - d));
  const step = Math.max(1, Math.floor(last / mostTerms));
  let total = 0;
  for (let j = 0; j <= last; j += step) {
    const p = d + j / n;
    if (p < 1) total += binomial(n, p).density(j) / p;
  }
  return d * total * step;
}
