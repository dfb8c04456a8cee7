// Veltkamp's constant for doubles, 2^27 + 1.
const splitter = 134217729;

/** What `a * b` lost to rounding (Dekker 1971), for products below 1e300. */
export function productError(a: number, b: number, product: number): number {
  const sa = splitter * a;
  const aHigh = sa - (sa - a);
  const aLow = a - aHigh;
  const sb = splitter * b;
  const bHigh = sb - (sb - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** What `a + b` lost to rounding (Knuth, TwoSum). */
export function sumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/**
 * `a b - c d`, correct to a few units in the last place also where both products are beyond 2^53 and nearly the same.
 *
 * For products below 1e300; beyond, it is the plain difference.
 */
export function differenceOfProducts(a: number, b: number, c: number, d: number): number {
  const left = a * b;
  const right = c * d;
  const difference = left - right;
  const lost = sumError(left, -right, difference) + (productError(a, b, left) - productError(c, d, right));
  return Number.isFinite(lost) ? difference + lost : difference;
}

/** `a (1 - x) - b x` for x in [0, 1], correct to a few units in the last place also where it is nearly 0. */
export function weightedExcess(a: number, b: number, x: number): number {
  const ax = a * x;
  const bx = b * x;
  const first = a - ax;
  const second = first - bx;
  const lost = sumError(a, -ax, first) + sumError(first, -bx, second) - productError(a, x, ax) - productError(b, x, bx);
  return second + lost;
}
