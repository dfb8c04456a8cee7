import { chiSquare } from '../distributions/chi-square.ts';
import type { CountsDistance } from './profile-distances.ts';
import { drawSplits } from './split-null.ts';

/** What chance alone makes of a distance. */
export interface NullOfDistance {
  /** The chance of a distance as great as this or greater without drift. */
  readonly p: number;
  /** The distance that chance exceeds with probability alpha. */
  readonly threshold: number;
  /** By which the two were found: a closed form for many values, draws for few. */
  readonly by: 'closed form' | 'draws';
}

/** From so many values that a bin lets expect in the smaller sample, the closed form holds to some 1 % of the threshold. */
const CLOSED_FROM = 1_000;
export const NULL_DRAWS = 999;

/** A distance whose square (or itself) is `scale` times a chi-square of bins - 1 for many values. */
export interface QuadraticForm {
  readonly scale: number;
  readonly power: 1 | 2;
}

/**
 * The null distribution of a distance of two counts, given their totals: exact by random splits with a fixed seed, the same
 * for the same counts; in closed form where all bins are full. Beyond the reach of the draws the tail is that of a gamma
 * distribution with their mean and variance (as Knijnenburg et al. 2009 do with another).
 */
export function nullOfDistance(input: {
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly distance: CountsDistance;
  readonly alpha: number;
  readonly seed: number;
  readonly form?: QuadraticForm | undefined;
  /** By which what chance makes is taken greater. Default 1. */
  readonly slack?: number | undefined;
}): NullOfDistance {
  const { reference, current, distance, alpha, seed, form, slack = 1 } = input;
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(reference), total(current)];
  const totals = reference.map((count, i) => count + (current[i] ?? 0));
  const observed = distance(reference, current);
  if (form !== undefined) {
    const least = Math.min(...totals.filter((count) => count > 0)) * (Math.min(n, m) / (n + m));
    if (least >= CLOSED_FROM) {
      const freedom = totals.filter((count) => count > 0).length - 1;
      const chi = chiSquare(freedom);
      const scale = form.scale * (1 / n + 1 / m);
      return {
        p: chi.sf(observed ** form.power / scale),
        threshold: (scale * chi.inverseSf(alpha)) ** (1 / form.power),
        by: 'closed form',
      };
    }
  }
  const draws = new Float64Array(NULL_DRAWS);
  let drawn = 0;
  drawSplits({ totals, n, m }, { draws: NULL_DRAWS, seed }, (r, c) => {
    draws[drawn++] = slack * distance(r, c);
  });
  draws.sort();
  // What rounding alone makes unequal is as great.
  const reached = observed * (1 - 1e-9);
  let exceeding = 0;
  while (exceeding < NULL_DRAWS && (draws[NULL_DRAWS - 1 - exceeding] ?? 0) >= reached) exceeding += 1;
  const ranked = (exceeding + 1) / (NULL_DRAWS + 1);
  // Which of the draws a distance has to exceed for a rank of at most alpha.
  const place = Math.floor(alpha * (NULL_DRAWS + 1) + 1e-9);
  const tail = gammaOfSquares(draws);
  return {
    p: exceeding >= 10 ? ranked : Math.min(ranked, tail.sf(observed)),
    threshold: place >= 10 ? (draws[NULL_DRAWS - place] ?? 0) : tail.inverseSf(alpha),
    by: 'draws',
  };
}

/** Squares of distances are about sums of squares, and so near a gamma distribution. */
function gammaOfSquares(draws: Float64Array) {
  const squares = draws.map((draw) => draw * draw);
  const mean = squares.reduce((sum, square) => sum + square, 0) / draws.length;
  const variance = squares.reduce((sum, square) => sum + (square - mean) ** 2, 0) / draws.length;
  if (!(variance > 0 && mean > 0))
    return { sf: (x: number) => (x > Math.sqrt(mean) ? 0 : 1), inverseSf: () => Math.sqrt(mean) };
  // A gamma distribution of shape k and scale s is s / 2 times a chi-square of 2 k.
  const chi = chiSquare((2 * mean * mean) / variance);
  const half = variance / mean / 2;
  return {
    sf: (x: number) => chi.sf((x * x) / half),
    inverseSf: (alpha: number) => Math.sqrt(half * chi.inverseSf(alpha)),
  };
}
