import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortDescending } from '../../src/arithmetic/sort-descending.ts';

/** By its definition: descending, and of equal values the lower row first. */
function expectSorted(given: Float64Array): void {
  const kept = given.slice();
  const { values, rows } = sortDescending(given);
  const expected = Array.from(given, (_, row) => row).sort((a, b) => (given[b] ?? 0) - (given[a] ?? 0) || a - b);
  expect([...rows]).toEqual(expected);
  expect([...values]).toEqual(expected.map((row) => (given[row] ?? 0) + 0));
  expect([...given]).toEqual([...kept]);
}

// Few are compared, some thousand sorted by narrow digits, more by wide ones.
const lengths = [0, 1, 2, 255, 256, 257, 4095, 4096, 5000];

describe('sortDescending', () => {
  it.each([
    { what: 'numbers of all sizes', value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
    { what: 'probabilities', value: fc.double({ min: 0, max: 1, noNaN: true }) },
    { what: 'values of a float32', value: fc.float({ noNaN: true, noDefaultInfinity: true }) },
    { what: 'many ties, and both zeros', value: fc.constantFrom(0, -0, 0.1, 5e-324, -5e-324, 1e308, -1e308) },
    { what: 'one value', value: fc.constant(0.25) },
    {
      what: 'values whose upper words are the same',
      value: fc.integer({ min: 0, max: 1000 }).map((step) => 0.5 + step * 2 ** -53),
    },
    {
      what: 'a few such values among others',
      value: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.5, 0.5 + 2 ** -50, 0.5 + 2 ** -53)),
    },
  ])('orders $what as a comparison does', ({ value }) => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 20, maxLength: 60 }), fc.constantFrom(...lengths), (few, length) => {
        // A generator of thousands is slow: few values are repeated, each a bit nearer to 0, so that most differ.
        const ulps = (round: number, of: number) => (round % 3 === 0 ? of : of * (1 - round * 2 ** -40));
        expectSorted(
          Float64Array.from({ length }, (_, i) => ulps(Math.floor(i / few.length), few[i % few.length] ?? 0)),
        );
      }),
      { numRuns: 30 },
    );
  });
});
