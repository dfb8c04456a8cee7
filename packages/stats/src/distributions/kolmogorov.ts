import { type Distribution, guarded } from './distribution.ts';
import { invert, positiveLine } from './invert.ts';

/**
 * Kolmogorov's limiting distribution: of √n D_n for n → ∞, where D_n is the largest distance, to either side, of an
 * empirical distribution function from the true one; for two samples n is n1 n2 / (n1 + n2).
 *
 * sf(x) = 2 Σ (-1)^(k-1) exp(-2 k^2 x^2), below x = 0.8 by the theta transform √(2π)/x Σ exp(-(2k-1)^2 π^2 / (8 x^2)).
 * Relative error below 1e-14. For a sample of finite size see kolmogorovOfSample.
 */
export function kolmogorov(): Distribution {
  const cdf = (x: number) => (x <= least ? 0 : x < 0.8 ? theta(x) : 1 - alternating(x));
  const sf = (x: number) => (x <= least ? 1 : x < 0.8 ? 1 - theta(x) : alternating(x));
  const density = (x: number) => (x <= least || x === Infinity ? 0 : x < 0.8 ? thetaSlope(x) : alternatingSlope(x));
  return guarded({ density, cdf, sf, ...invert({ density, cdf, sf }, positiveLine(0.8), [0, Infinity]) });
}

// exp(-π² / (8 x²)) is below every number up to here, and nearer to 0 its factor 1 / x is infinite.
const least = 0.03;

function alternating(x: number): number {
  let total = 0;
  for (let k = 8; k >= 1; k--) total = Math.exp(-2 * k * k * x * x) - total;
  return 2 * total;
}

function alternatingSlope(x: number): number {
  let total = 0;
  for (let k = 8; k >= 1; k--) total = k * k * Math.exp(-2 * k * k * x * x) - total;
  return 8 * x * total;
}

function theta(x: number): number {
  let total = 0;
  for (let k = 9; k >= 1; k -= 2) total += Math.exp((-k * k * Math.PI ** 2) / (8 * x * x));
  return (Math.sqrt(2 * Math.PI) / x) * total;
}

function thetaSlope(x: number): number {
  let total = 0;
  for (let k = 9; k >= 1; k -= 2) {
    const exponent = (k * k * Math.PI ** 2) / (8 * x * x);
    total += Math.exp(-exponent) * (2 * exponent - 1);
  }
  return (Math.sqrt(2 * Math.PI) / (x * x)) * total;
}
