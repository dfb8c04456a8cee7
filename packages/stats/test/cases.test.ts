import { describe, expect, it } from 'vitest';
import { readCases } from './cases/case-file.ts';
import { runCase } from './cases/run-cases.ts';

describe.each(['stats-cases.json', 'eval-cases.json', 'library-cases.json'])('%s', (file) => {
  const cases = readCases(new URL(`fixtures/${file}`, import.meta.url));

  it.each(cases.map((each) => [`${each.id} (${each.kind})`, each] as const))('%s', (_, each) => {
    expect(runCase(each)).toEqual({ status: 'passed' });
  });
});

it('fails a case of a kind that nobody knows, of a wrong number, and of a null that is none', () => {
  const tolerance = { tol: 1e-9, mode: 'abs_or_rel' } as const;
  const run = (kind: string, input: unknown, expected: unknown) =>
    runCase({ id: 'x', kind, input, expected, tolerance }).status;
  expect(run('toString', {}, {})).toBe('failed');
  expect(run('bayes_risk', { mu: 0.1, sigma: 0.05 }, { risk: [0.1, 0.0004245351] })).toBe('failed');
  expect(run('roc_auc', { y: [1, 1], score: [0.1, 0.2] }, { auc: null })).toBe('passed');
  expect(run('roc_auc', { y: [1, 0], score: [0.1, 0.2] }, { auc: null })).toBe('failed');
  expect(run('bayes_risk', { mu: 0.1, sigma: -1 }, { risk: [0.1, 0] })).toBe('failed');
});
