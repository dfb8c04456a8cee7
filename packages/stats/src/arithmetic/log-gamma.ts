const halfLogTwoPi = 0.9189385332046728;

/**
 * ln Γ(z + 1) - [(z + 1/2) ln z - z + ln(2π)/2] for z > 0, to 1e-15 absolute: what Stirling's formula leaves.
 *
 * Loader (2000), "Fast and accurate computation of binomial probabilities"; below 10 by
 * δ(z) = δ(z + 1) + (z + 1/2) ln(1 + 1/z) - 1.
 */
export function stirlingError(z: number): number {
  let shift = 0;
  let at = z;
  for (; at < 10; at++) shift += (at + 0.5) * Math.log1p(1 / at) - 1;
  const r = 1 / at;
  const s = r * r;
  const series =
    1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s * (1 / 156))))));
  return shift + r * series;
}

/** ln Γ(x) for x > 0, to about 1e-15 of the larger of 1 and its value. */
function logGamma(x: number): number {
  return stirlingError(x) + (x - 0.5) * Math.log(x) - x + halfLogTwoPi;
}

// (ζ(k) - 1) / k for k = 2 … 14 with alternating sign, in the series of ln Γ(1 + x).
const zetaTerms = [
  0.6449340668482264 / 2,
  -0.2020569031595943 / 3,
  0.08232323371113819 / 4,
  -0.03692775514336993 / 5,
  0.01734306198444914 / 6,
  -0.00834927738192283 / 7,
  0.00407735619794434 / 8,
  -0.00200839282608221 / 9,
  9.945751278180853e-4 / 10,
  -4.941886041194646e-4 / 11,
  2.460865533080483e-4 / 12,
  -1.2271334757848915e-4 / 13,
  6.124813505870483e-5 / 14,
];
const eulerGamma = 0.5772156649015329;

/** ln Γ(1 + x) for x in [0, 1], relative also where x is near 0: -γ x + … */
export function logGammaOnePlus(x: number): number {
  if (x > 0.1) return logGamma(x + 1);
  let series = 0;
  for (let i = zetaTerms.length - 1; i >= 0; i--) series = (series + (zetaTerms[i] ?? 0)) * x;
  return x * (series + (1 - eulerGamma)) - Math.log1p(x);
}

/**
 * ln Γ(x + by) - ln Γ(x) for x above 0 and `by` at least 0, relative to `by` also where it is near 0.
 *
 * Γ(x + 1) = x Γ(x) up to 10, then Stirling's formula term by term.
 */
export function logGammaRise(x: number, by: number): number {
  let passed = 0;
  let at = x;
  for (; at < 10; at++) passed += Math.log1p(by / at);
  const main = (at - 0.5) * Math.log1p(by / at) + by * Math.log(at + by) - by;
  const middle = at + by / 2;
  const square = middle * middle;
  const rest =
    by < 1e-4
      ? (-by / square) * (1 / 12 - (1 / 120 - (1 / 252 - 1 / (240 * square)) / square) / square)
      : stirlingError(at + by) - stirlingError(at);
  return main + rest - passed;
}
