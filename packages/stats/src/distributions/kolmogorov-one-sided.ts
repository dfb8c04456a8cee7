import { binomial } from './binomial.ts';

/**
 * P(D_n⁺ >= d), the largest distance to one side: d Σ_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j) over j <= n (1 - d).
 *
 * Birnbaum and Tingey (1951); each term is a binomial probability over d + j/n, so all are positive and none overflows.
 */
export function oneSidedTail(n: number, d: number): number {
  let total = 0;
  const last = Math.floor(n * (1 - d));
  for (let j = 0; j <= last; j++) {
    const p = d + j / n;
    if (p >= 1) continue;
    total += binomial(n, p).density(j) / p;
  }
  return d * total;
}
