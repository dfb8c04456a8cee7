import { normal } from '@mcp-hub/stats';

/**
 * The one-sided p of Mann and Whitney's test that values of `a` tend to be smaller than those of `b`, by the normal
 * approximation with the correction for ties and for continuity, as in scipy.stats.mannwhitneyu with method 'asymptotic'.
 */
export function smallerByRank(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, isA: true })), ...b.map((value) => ({ value, isA: false }))].sort(
    (left, right) => left.value - right.value,
  );
  let ranksOfA = 0;
  let ties = 0;
  for (let first = 0; first < all.length; ) {
    const value = all[first]?.value;
    const equal = all.slice(first).findIndex((other) => other.value !== value);
    const count = equal < 0 ? all.length - first : equal;
    const rank = first + (count + 1) / 2;
    ranksOfA += rank * all.slice(first, first + count).filter(({ isA }) => isA).length;
    ties += count ** 3 - count;
    first += count;
  }
  const n = a.length + b.length;
  const u = ranksOfA - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt(((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1))));
  return deviation === 0 ? 1 : normal().cdf((u - (a.length * b.length) / 2 + 0.5) / deviation);
}
