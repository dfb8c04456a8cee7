import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ANALYSIS_VERSION, analyse, DECISION_VERSION, decide } from '../../src/index.ts';
import { definitionOf, inputOf, metric, type TestUnit } from '../support/units.ts';

const metrics = [
  metric('mean', { cupedMs: 1 }),
  metric('share', { kind: 'proportion', role: 'secondary' }),
  metric('ratio', { kind: 'ratio', role: 'secondary', direction: 'decrease' }),
  metric('median', { kind: 'quantile', quantile: 0.5, role: 'guardrail', minimumEffect: 0.1 }),
];
const units: TestUnit[] = Array.from({ length: 400 }, (_, i) => {
  const [at, spread] = [i % 2, ((i * 37) % 23) / 7];
  return {
    ...{ variant: at === 0 ? 'A' : 'B', day: `2026-05-0${1 + (i % 4)}`, country: i % 3 === 0 ? 'de' : 'fr' },
    y: { mean: spread + at, share: i % 5 === 0 ? 1 : 0, ratio: spread, median: spread * 10 },
    x: { mean: spread / 2 + (i % 7), ratio: 1 + (i % 2) },
  };
});

/** To ten digits: the last bits of exp and log are the machine's. */
const digestOf = (value: unknown) =>
  createHash('sha256')
    .update(JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' ? part.toPrecision(10) : part)))
    .digest('hex')
    .slice(0, 16);

const definition = definitionOf({ metrics, minimumUnits: 100 });
const input = inputOf(definition, units, { multipleUnits: 3 });

it('raises ANALYSIS_VERSION where the analysis of the same input is another', () => {
  const digests = [1, 2].map((look) => digestOf({ ...analyse(definition, input, { look }), codeVersion: 0 }));
  expect({ version: ANALYSIS_VERSION, digests }).toEqual({
    version: 1,
    digests: ['bfd10d5fe3a05c7a', '9cbdcdf81a2135c7'],
  });
});

it('raises DECISION_VERSION where the decision by the same analysis is another', () => {
  const digests = (['fixed', 'sequential'] as const).flatMap((test) =>
    [300, 5_000].flatMap((plannedUnits) =>
      [1, 2].map((looks) => {
        const given = { ...definition, test, plannedUnits };
        const decision = decide(given, analyse(given, input), { looks, isOver: looks === 2 });
        return `${decision.verdict} ${digestOf({ ...decision, codeVersion: 0 })}`;
      }),
    ),
  );
  expect({ version: DECISION_VERSION, digests }).toEqual({
    version: 1,
    digests: [
      'keep 0c1ceb3240cd5faa',
      'keep abfb523c6b5b6d57',
      'continue d3a1e4387140f7ad',
      'keep 12529d4e3135cf54',
      'continue 643a4a41225c75fe',
      'keep 6a55567abe977c86',
      'continue 5ac66369ffebb6bc',
      'keep 060734e9da0f880f',
    ],
  });
});
