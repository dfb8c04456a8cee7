import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomIndex, randomNumbers, splitMix64, xoshiro128StarStar } from '../src/samplers/random-numbers.ts';

it('the generators give the published numbers', () => {
  // https://github.com/edorfaus/xoshiro-6502, made by the reference in C.
  const xoshiro = xoshiro128StarStar([0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0]);
  expect([xoshiro(), xoshiro(), xoshiro(), xoshiro()]).toEqual([0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70]);
  // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
  const splitMix = splitMix64(1234567n);
  expect([splitMix(), splitMix(), splitMix()]).toEqual([
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
  ]);
});

it('a stream hangs on the seed and the number alone', () => {
  const anySeed = fc.maxSafeInteger();
  const anyNumber = fc.nat();
  fc.assert(
    fc.property(anySeed, anyNumber, (seed, number) => {
      const [once, again] = [randomNumbers(seed, number), randomNumbers(seed, number)];
      for (let draw = 0; draw < 20; draw += 1) expect(once()).toBe(again());
    }),
  );
});

it('streams of neighbouring seeds and numbers have nothing in common, and are even', () => {
  const first = new Set<number>();
  let sum = 0;
  const cells = Array.from({ length: 16 }, () => 0);
  for (let seed = -20; seed < 20; seed += 1) {
    for (let number = 0; number < 100; number += 1) {
      const random = randomNumbers(seed, number);
      const drawn = random();
      first.add(drawn);
      sum += drawn;
      const cell = randomIndex(random, 16);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
  }
  expect(first.size).toBe(4000);
  // Five standard deviations of the mean, and the 99.999 % quantile of chi-square with 15 degrees of freedom.
  expect(Math.abs(sum / 4000 - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / 4000));
  expect(cells.reduce((chi, count) => chi + (count - 250) ** 2 / 250, 0)).toBeLessThan(50.5);
});
