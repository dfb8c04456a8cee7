import { type EndedTrial, type SamplerOptions, type SearchSpace, suggestParams } from '../../src/index.ts';
import type { TestFunction } from './test-functions.ts';

const trials = 100;
export const seeds = Array.from({ length: 50 }, (_, seed) => seed);

/** The least value that a study of 100 trials, one after another, finds. */
export function bestValue(target: TestFunction, sampler: SamplerOptions, seed: number): number {
  const names = target.bounds.map((_, index) => `x${index}`);
  const space: SearchSpace = Object.fromEntries(
    target.bounds.map(([low, high], index) => [`x${index}`, { type: 'float', low, high }]),
  );
  const history: EndedTrial[] = [];
  for (let number = 0; number < trials; number += 1) {
    const params = suggestParams({
      space,
      objectives: [{ name: 'value', direction: 'minimize' }],
      sampler,
      seed,
      number,
      history,
    });
    if (params === undefined) break;
    const value = target.at(names.map((name) => Number(params[name])));
    history.push({ number, status: 'complete', params, values: [value] });
  }
  return Math.min(...history.flatMap((trial) => (trial.status === 'complete' ? trial.values : [])));
}
