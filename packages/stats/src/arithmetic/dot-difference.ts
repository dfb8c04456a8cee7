import { productError, sumError } from './exact.ts';

/** `first[0] first[1] - Σ a_i b_i` in twice the precision, for products beyond 2^53 that nearly cancel. */
export function productMinusDot(first: readonly [number, number], a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = first[0] * first[1];
  let lost = productError(first[0], first[1], total);
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [-(a[i] ?? 0), b[i] ?? 0];
    const product = x * y;
    const next = total + product;
    lost += sumError(total, product, next) + productError(x, y, product);
    total = next;
  }
  return Number.isFinite(lost) ? total + lost : total;
}
