import { writeFileSync } from 'node:fs';
import { bestValue, seeds } from '../evidence/best-value.ts';
import { readOptunaFigures } from '../evidence/optuna-figures.ts';
import { smallerByRank } from '../evidence/rank-test.ts';
import { testFunctions } from '../evidence/test-functions.ts';

// The table of the README, section Samplers, and ../../evidence/samplers.json, which a test holds.

const references = [
  ['Optuna 5.0.0', readOptunaFigures('5.0.0'), 'default'],
  ['Optuna 5.0.0, independent', readOptunaFigures('5.0.0'), 'independent'],
  ['Optuna 4.9.0', readOptunaFigures('4.9.0'), 'default'],
  ['Optuna 4.9.0, multivariate', readOptunaFigures('4.9.0'), 'multivariate'],
] as const;

const middle = (values: readonly number[], share: number) =>
  (values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN).toFixed(3);
const spread = (values: readonly number[]) =>
  `${middle(values, 0.5)} (${middle(values, 0.25)} to ${middle(values, 0.75)})`;

console.log('| function | sampler | best value: median (quartiles) | p: TPE is better | p: TPE is worse |');
console.log('|---|---|---|---|---|');
const figures: Record<string, unknown> = {};
for (const target of testFunctions) {
  const tpe = seeds.map((seed) => bestValue(target, { kind: 'tpe' }, seed));
  const random = seeds.map((seed) => bestValue(target, { kind: 'random' }, seed));
  figures[target.name] = { tpe, random };
  console.log(`| ${target.title}; least ${target.least} | **TPE** | **${spread(tpe)}** | | |`);
  const others = references.map(([name, read, sampler]) => [name, read.functions[target.name].best[sampler]] as const);
  for (const [name, values] of [['random', random] as const, ...others]) {
    const [better, worse] = [smallerByRank(tpe, values), smallerByRank(values, tpe)];
    console.log(`| | ${name} | ${spread(values)} | ${better.toPrecision(2)} | ${worse.toPrecision(2)} |`);
  }
}
writeFileSync(new URL('../../evidence/samplers.json', import.meta.url), `${JSON.stringify(figures, null, 1)}\n`);
