import { expect, it } from 'vitest';
import { kolmogorov, kolmogorovOfSample } from '../../src/index.ts';

/** n, d, P(D_n <= d) and P(D_n > d) by scipy 1.17.1 (kstwo), in each region of its method. */
const points = [
  [1, 0.6, 0.19999999999999996, 0.8],
  [2, 0.4, 0.18000000000000005, 0.82],
  [5, 0.3, 0.33599999999999997, 0.664],
  [11, 0.08, 6.835742527478833e-6, 0.9999931642574725],
  [20, 0.2, 0.647279826376585, 0.352720173623415],
  [50, 0.1, 0.3376887295341814, 0.6623112704658186],
  [100, 0.15, 0.980160757874357, 0.019839242125643017],
  [140, 0.17, 0.999475389131248, 0.0005246108687519814],
  [141, 0.05, 0.14515430699033707, 0.854845693009663],
  [141, 0.2, 0.9999797514476229, 2.0276784223976912e-5],
  [1000, 0.04, 0.9206604394099978, 0.07933956059000224],
  [1000, 0.05, 0.9869879197970768, 0.013012074781090332],
  [100000, 0.003, 0.6715436672273044, 0.3284563327726956],
  [1000000, 0.002, 0.9993299722896588, 0.0006700277103670718],
] as const;

it.each(points)('agrees with scipy for n = %i and d = %f', (n, d, lower, upper) => {
  const { cdf, sf } = kolmogorovOfSample(n);
  expect(Math.abs(sf(d) / upper - 1)).toBeLessThan(1e-11);
  // From n = 141 on scipy takes another method for cdf than for sf, and they need not make one.
  if (n <= 140) expect(Math.abs(cdf(d) / lower - 1)).toBeLessThan(1e-9);
});

it('tends to the limiting distribution', () => {
  const gap = (n: number) => Math.abs(kolmogorovOfSample(n).sf(1 / Math.sqrt(n)) - kolmogorov().sf(1));
  expect(gap(10_000)).toBeLessThan(gap(100));
  expect(gap(1_000_000)).toBeLessThan(1e-3);
});

it('is 0 and 1 outside of what D can be', () => {
  const { cdf, sf } = kolmogorovOfSample(10);
  expect([cdf(0.05), sf(0.05), cdf(1), sf(1)]).toEqual([0, 1, 1, 0]);
});
