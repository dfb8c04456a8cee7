import { StatsError } from '../errors.ts';

/**
 * Tommy Ettinger's mulberry32: numbers in [0, 1) with 32 bits, the same for a seed on every machine. Period 2^32; not for
 * secrets. `seed` is an integer, of which the low 32 bits count.
 */
export function mulberry32(seed: number): () => number {
  if (!Number.isInteger(seed)) throw new StatsError('seed must be an integer.');
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
