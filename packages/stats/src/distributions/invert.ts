import { requireProbability } from '../inputs.ts';
import type { Distribution } from './distribution.ts';

interface Support {
  /** From the whole line to the support, increasing, such as exp. */
  readonly toSupport: (s: number) => number;
  /** Its derivative. */
  readonly slope: (s: number) => number;
  /** Where the search starts. */
  readonly start: number;
}

/** The support (0, ∞) on the logarithmic scale. */
export function positiveLine(start: number): Support {
  return { toSupport: Math.exp, slope: Math.exp, start: Math.log(start) };
}

/**
 * The inverses of a continuous distribution from its tails.
 *
 * Solves for the smaller tail on the logarithmic scale, by Newton's method held in a bracket: ln F is nearly linear in
 * the tail, so that some 10 steps find x to about 1e-15 of its conditioning, also for p of 1e-300.
 */
export function invert(
  distribution: Pick<Distribution, 'density' | 'cdf' | 'sf'>,
  support: Support,
  ends: readonly [number, number],
): Pick<Distribution, 'inverseCdf' | 'inverseSf'> {
  const lowerTail = (p: number) => solve(support, distribution, distribution.cdf, p, 1);
  const upperTail = (q: number) => solve(support, distribution, distribution.sf, q, -1);
  const [least, most] = ends;
  return {
    inverseCdf(p) {
      requireProbability('p', p);
      if (p === 0) return least;
      if (p === 1) return most;
      return p <= 0.5 ? lowerTail(p) : upperTail(1 - p);
    },
    inverseSf(q) {
      requireProbability('q', q);
      if (q === 0) return most;
      if (q === 1) return least;
      return q <= 0.5 ? upperTail(q) : lowerTail(1 - q);
    },
  };
}

function solve(
  support: Support,
  { density }: Pick<Distribution, 'density'>,
  tail: (x: number) => number,
  target: number,
  sign: 1 | -1,
): number {
  const logTarget = Math.log(target);
  let low = -Infinity;
  let high = Infinity;
  let s = support.start;
  let stride = 1;
  for (let i = 0; i < 200; i++) {
    const x = support.toSupport(s);
    const value = tail(x);
    // Above 0 where s is too far right.
    const gap = sign * (Math.log(value) - logTarget);
    if (gap === 0) break;
    if (gap > 0) high = s;
    else low = s;
    const newton = s - (gap * value) / (density(x) * support.slope(s));
    let next: number;
    if (newton > low && newton < high && Math.abs(newton - s) <= stride) {
      next = newton;
    } else if (low === -Infinity || high === Infinity) {
      next = gap > 0 ? s - stride : s + stride;
      stride *= 2;
    } else {
      next = (low + high) / 2;
    }
    if (Math.abs(next - s) <= 2e-16 * Math.abs(s) || next === low || next === high) {
      s = next;
      break;
    }
    s = next;
  }
  return support.toSupport(s);
}
