import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bestValue, seeds } from './evidence/best-value.ts';
import { readOptunaFigures } from './evidence/optuna-figures.ts';
import { smallerByRank } from './evidence/rank-test.ts';
import { testFunctions } from './evidence/test-functions.ts';

const bestValues = z.array(z.number()).length(50);
const figures = z
  .record(
    z.enum(['branin', 'hartmann6', 'rosenbrock2', 'rosenbrock5']),
    z.object({ tpe: bestValues, random: bestValues }),
  )
  .parse(JSON.parse(readFileSync(new URL('../evidence/samplers.json', import.meta.url), 'utf8')));
const optuna = [readOptunaFigures('4.9.0'), readOptunaFigures('5.0.0')];

it('the rank test gives the p of SciPy, with ties and without', () => {
  // scipy.stats.mannwhitneyu(a, b, alternative='less', method='asymptotic'), SciPy 1.17.1
  expect(smallerByRank([1, 2, 3, 4, 5], [3, 4, 5, 6, 7])).toBeCloseTo(0.056923149003329024, 12);
  expect(smallerByRank([1.5, 0.2, 3.3, 9.1], [2.5, 4.25, 8, 11, 0.1])).toBeCloseTo(0.3566515869392288, 12);
  expect(smallerByRank([1, 1, 1], [1, 1, 1])).toBe(1);
});

describe.each(testFunctions)('on $title', (target) => {
  it('both sides search the same function in the same box', () => {
    for (const { functions } of optuna) {
      const theirs = functions[target.name];
      expect(theirs.bounds).toEqual(target.bounds);
      const quarter = target.bounds.map(([low, high]) => low + (high - low) / 4);
      expect(target.at(quarter)).toBeCloseTo(theirs.at_a_quarter, 10);
      for (const value of Object.values(theirs.best).flat()) expect(value).toBeGreaterThan(target.least);
    }
  });

  it('the samplers give the figures of the evidence', () => {
    for (const seed of seeds.slice(0, 12)) {
      expect(bestValue(target, { kind: 'tpe' }, seed)).toBeCloseTo(figures[target.name].tpe[seed] ?? Number.NaN, 9);
      expect(bestValue(target, { kind: 'random' }, seed)).toBeCloseTo(figures[target.name].random[seed] ?? 0, 9);
    }
  });

  it('TPE finds less than random search does, by rank at 5 %', () => {
    expect(smallerByRank(figures[target.name].tpe, figures[target.name].random)).toBeLessThan(0.05);
  });

  it("TPE is not worse than Optuna's, by rank at 5 %", () => {
    for (const { functions } of optuna) {
      const { best } = functions[target.name];
      for (const theirs of Object.values(best)) {
        expect(smallerByRank(theirs, figures[target.name].tpe)).toBeGreaterThan(0.05);
      }
    }
  });
});
