import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  alwaysValidInterval,
  bayesianEffect,
  bootstrap,
  coMomentsOf,
  confidenceSequence,
  cramersV,
  cupedTest,
  deLongTest,
  energyDistance,
  goodnessOfFit,
  independenceTest,
  isStatsError,
  jensenShannon,
  kolmogorov,
  kolmogorovSmirnovTest,
  kullbackLeibler,
  likelihoodRatioFit,
  mannWhitneyTest,
  mixtureRatioTest,
  momentsOf,
  ndcg,
  normal,
  normedWasserstein,
  pairedTTest,
  pinballLoss,
  populationStability,
  proportionDifferenceInterval,
  quantileOfSorted,
  rankedAveragePrecision,
  regressionReport,
  sampleRatioMismatch,
  twoProportionTest,
  wasserstein,
  welchTest,
  wilsonInterval,
} from '../src/index.ts';

// What nobody has in mind: nothing at all, one row, ties, no variance, weights of 0, the ends of the numbers, no numbers.
const usual = fc.constantFrom(0, 1, 2, 5, 0.5);
const unusual = fc.constantFrom(
  ...[-0, -1, 1e-170, 1e9 + 1, 2 ** 53, 1e77, -1e155],
  ...[Number.NaN, Infinity, -Infinity],
);
const number = fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: unusual });
const column = fc.array(number, { maxLength: 5 });
const arm = fc.record({ n: fc.oneof(fc.integer({ min: 0, max: 9 }), number), mean: number, variance: number });
const alpha = fc.oneof(fc.constant(0.05), number);

type Given = {
  readonly x: number[];
  readonly y: number[];
  readonly control: { readonly n: number; readonly mean: number; readonly variance: number };
  readonly treatment: { readonly n: number; readonly mean: number; readonly variance: number };
  readonly alpha: number;
};
const given: fc.Arbitrary<Given> = fc.record({ x: column, y: column, control: arm, treatment: arm, alpha });

const calls: Readonly<Record<string, (given: Given) => unknown>> = {
  alwaysValidInterval: ({ control: { mean, variance, n }, alpha: level }) =>
    alwaysValidInterval({ effect: { estimate: mean, standardError: variance }, n, alpha: level }),
  bayesianEffect: ({ control: { mean, variance }, alpha: level }) =>
    bayesianEffect({ estimate: mean, standardError: variance }, { alpha: level }),
  bootstrap: ({ x, alpha: level }) =>
    bootstrap({ rows: x.length, seed: 1, resamples: 5, alpha: level, statistic: ([row = 0]) => x[row] ?? null }),
  confidenceSequence: ({ control: { mean, variance, n }, alpha: level }) => {
    const { interval, p } = confidenceSequence({
      effect: { estimate: mean, standardError: variance },
      n,
      alpha: level,
    });
    return { interval, p };
  },
  cramersV: ({ x, y }) => cramersV([x, y]),
  cupedTest: ({ x, y }) => cupedTest({ control: coMomentsOf(x, y), treatment: coMomentsOf(y, x) }),
  deLongTest: ({ x, y }) => deLongTest({ labels: x.map((value) => Number(value > 0)), first: x, second: y }),
  energyDistance: ({ x, y }) => energyDistance({ values: x }, { values: y }),
  goodnessOfFit: ({ x, y }) => goodnessOfFit({ observed: x, expected: y }),
  independenceTest: ({ x, y }) => independenceTest([x, y]),
  jensenShannon: ({ x, y }) => jensenShannon({ reference: x, current: y }),
  kolmogorov: ({ x: [at = 0] }) => [kolmogorov().cdf(at), kolmogorov().sf(at), kolmogorov().density(at)],
  kolmogorovSmirnovTest: ({ x, y }) => kolmogorovSmirnovTest(x, y),
  kullbackLeibler: ({ x, y }) => kullbackLeibler({ reference: x, current: y }, 'evidently'),
  likelihoodRatioFit: ({ x, y }) => likelihoodRatioFit({ observed: x, expected: y }),
  mannWhitneyTest: ({ x, y }) => mannWhitneyTest(x, y),
  mixtureRatioTest: ({ control, treatment }) => mixtureRatioTest({ control, treatment }),
  momentsOf: ({ x }) => momentsOf(x),
  ndcg: ({ x, y }) => ndcg({ relevance: x, scores: y }),
  normal: ({ x: [at = 0] }) => [normal().cdf(at), normal().sf(at), normal().density(at)],
  normedWasserstein: ({ x, y }) => normedWasserstein(x, y),
  pairedTTest: ({ x, y, alpha: level }) => pairedTTest({ first: x, second: y, alpha: level }),
  pinballLoss: ({ x, y, alpha: level }) => pinballLoss({ actual: x, predicted: y }, level),
  populationStability: ({ x, y }) => populationStability({ reference: x, current: y }),
  proportionDifferenceInterval: ({ control, treatment }) =>
    proportionDifferenceInterval(
      { n: control.n, successes: control.mean },
      { n: treatment.n, successes: treatment.mean },
    ),
  quantileOfSorted: ({ x, alpha: level }) =>
    quantileOfSorted(
      x.toSorted((a, b) => a - b),
      level,
    ),
  rankedAveragePrecision: ({ x, y }) => rankedAveragePrecision({ relevance: x, scores: y }),
  regressionReport: ({ x, y, alpha: weight }) =>
    regressionReport({ actual: x, predicted: y, weights: x.map((_, row) => (row === 0 ? weight : 1)) }),
  sampleRatioMismatch: ({ x, y }) => sampleRatioMismatch({ counts: x, weights: y }),
  twoProportionTest: ({ control, treatment }) =>
    twoProportionTest({ n: control.n, successes: control.mean }, { n: treatment.n, successes: treatment.mean }),
  wasserstein: ({ x, y }) => wasserstein({ values: x, weights: y }, { values: y }),
  'welchTest, absolute': ({ control, treatment }) => welchTest({ control, treatment }),
  'welchTest, relative': ({ control, treatment }) => welchTest({ control, treatment, difference: 'relative' }),
  wilsonInterval: ({ control, alpha: level }) => wilsonInterval({ n: control.n, successes: control.mean }, level),
};

/** The places of a result that hold no finite number. */
function notFinite(value: unknown, path = ''): readonly string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`];
  if (value === undefined) return [`${path} is undefined`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => notFinite(part, `${path}.${key}`));
}

it.each(Object.entries(calls))('%s gives numbers, or null with a reason, or refuses its input', (_, call) => {
  fc.assert(
    fc.property(given, (input) => {
      try {
        expect(notFinite(call(input))).toEqual([]);
      } catch (error) {
        if (!isStatsError(error)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
