/** Gives the next number of a stream: at least 0, less than 1, in steps of 2^-53. */
export type RandomNumbers = () => number;

/**
 * The stream of one trial: xoshiro128** (Blackman and Vigna 2018), its state filled by SplitMix64 from the study's seed
 * and the trial's number, so that neither the order in which trials are asked for nor who asks changes what they get.
 * The numbers are the same on every machine.
 *
 * @param seed A safe integer.
 * @param number A whole number from 0 on.
 */
export function randomNumbers(seed: number, number: number): RandomNumbers {
  const next = splitMix64(mix64(BigInt.asUintN(64, BigInt(seed))) ^ mix64(BigInt(number) + weylStep));
  const [first, second] = [next(), next()];
  const next32 = xoshiro128StarStar([
    Number(first & 0xffffffffn),
    Number(first >> 32n),
    Number(second & 0xffffffffn),
    Number(second >> 32n),
  ]);
  // 53 bits of two draws: the upper 27 and 26 bits, which are the better mixed ones.
  return () => {
    const high = next32() >>> 5;
    const low = next32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
}

/** A whole number from 0 to `count` - 1, each as likely as the others up to 2^-53 · count. */
export const randomIndex = (random: RandomNumbers, count: number): number =>
  Math.min(Math.floor(random() * count), count - 1);

/** 32 bits a call. The state must not be all zero. */
export function xoshiro128StarStar(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

const rotateLeft = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

const weylStep = 0x9e3779b97f4a7c15n;

/** 64 bits a call. */
export function splitMix64(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state + weylStep);
    return mix64(state);
  };
}

/** Spreads each bit over all 64: neighbouring seeds and numbers give streams that have nothing in common. */
function mix64(word: bigint): bigint {
  const first = BigInt.asUintN(64, (word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n);
  const second = BigInt.asUintN(64, (first ^ (first >> 27n)) * 0x94d049bb133111ebn);
  return second ^ (second >> 31n);
}
