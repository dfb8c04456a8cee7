import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  alwaysValidInterval,
  confidenceSequence,
  mixtureRatioTest,
  mulberry32,
  normal,
  oneSidedConfidenceSequence,
  sequentialRho,
} from '../../src/index.ts';

const looks = fc.record({
  effect: fc.record({
    estimate: fc.double({ min: -3, max: 3, noNaN: true }),
    standardError: fc.double({ min: 0.01, max: 2, noNaN: true }),
  }),
  n: fc.integer({ min: 10, max: 1e7 }),
});

it('an interval leaves 0 out just where p is below alpha', () => {
  fc.assert(
    fc.property(looks, (look) => {
      const { interval, p } = confidenceSequence(look);
      if (Math.abs(p - 0.05) > 1e-9) expect(p < 0.05).toBe(interval[0] > 0 || interval[1] < 0);
      const { lowerBound, pGreater } = oneSidedConfidenceSequence(look);
      if (Math.abs(pGreater - 0.05) > 1e-9) expect(pGreater < 0.05).toBe(lowerBound > 0);
    }),
  );
});

it("solves the one-sided p that GrowthBook's bisection leaves near 0.4631", () => {
  // The arms of its test, absolute; the exact root.
  const effect = { estimate: 0.23437666666666668, standardError: 0.12983081254184736 };
  expect(oneSidedConfidenceSequence({ effect, n: 6461 }).pGreater).toBeCloseTo(0.46304735779462614, 10);
});

it('evidence beyond every number is Infinity with p = 0', () => {
  const { eValue, p } = confidenceSequence({ effect: { estimate: 100, standardError: 0.01 }, n: 1e6 });
  expect([eValue, p]).toEqual([Infinity, 0]);
});

it('is tightest near the units it was tuned for', () => {
  const width = (tuningN: number) =>
    confidenceSequence({ effect: { estimate: 0, standardError: 1 / Math.sqrt(5000) }, n: 5000, tuningN }).halfWidth;
  expect(width(5000)).toBeLessThan(width(500));
  expect(width(5000)).toBeLessThan(width(50_000));
});

it('errs in at most alpha of the experiments without effect, looked at after each unit', () => {
  const random = mulberry32(7);
  let [ofSequence, ofFixed] = [0, 0];
  for (let experiment = 0; experiment < 400; experiment++) {
    let [sum, foundBySequence, foundByFixed] = [0, false, false];
    for (let n = 1; n <= 400; n++) {
      sum += normal().inverseCdf((random() * 2 ** 32 + 0.5) / 2 ** 32);
      if (n < 50) continue;
      const effect = { estimate: sum / n, standardError: 1 / Math.sqrt(n) };
      foundBySequence ||= confidenceSequence({ effect, n, tuningN: 200 }).p <= 0.05;
      foundByFixed ||= Math.abs(effect.estimate) > 1.96 * effect.standardError;
    }
    ofSequence += foundBySequence ? 1 : 0;
    ofFixed += foundByFixed ? 1 : 0;
  }
  expect(ofSequence / 400).toBeLessThan(0.05);
  expect(ofFixed / 400).toBeGreaterThan(0.1);
});

it('refuses what makes no test', () => {
  expect(() => sequentialRho({ alpha: 0.5, tuningN: 10, sides: 1 })).toThrow('between 0 and 1');
  expect(() => alwaysValidInterval({ effect: { estimate: 0, standardError: 0 }, n: 5 })).toThrow('standardError');
  const flat = { n: 5, mean: 2, variance: 0 };
  expect(mixtureRatioTest({ control: flat, treatment: flat }).value).toBeNull();
});
