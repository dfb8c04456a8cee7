import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CompleteTrial,
  checkParams,
  type EndedTrial,
  gridSize,
  type Objectives,
  type SamplerOptions,
  type SearchSpace,
  suggestParams,
  TRAINING_LIMITS,
} from '../src/index.ts';
import { countValues } from '../src/samplers/param-values.ts';
import { randomNumbers } from '../src/samplers/random-numbers.ts';
import { sampleRandom } from '../src/samplers/sample-random.ts';
import { anySpace, reversed, someOf } from './support/any-space.ts';

const minimize: Objectives = [{ name: 'loss', direction: 'minimize' }];
const two: Objectives = [
  { name: 'loss', direction: 'minimize' },
  { name: 'auc', direction: 'maximize' },
];
const anyNumber = fc.nat({ max: 100_000 });
const anyValue = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0),
);
const samplers: readonly SamplerOptions[] = [
  { kind: 'random' },
  { kind: 'tpe' },
  { kind: 'tpe', startupTrials: 0, multivariate: false, gamma: 0.5, candidates: 3 },
];

/** Trials of random parameters with any outcomes. */
const anyHistory = (space: SearchSpace, values: number) =>
  fc
    .array(
      fc.oneof(
        fc.array(anyValue, { minLength: values, maxLength: values }),
        fc.option(fc.record({ step: fc.nat(), value: anyValue })),
      ),
      { maxLength: 60 },
    )
    .map((outcomes) =>
      outcomes.map((outcome, number): EndedTrial => {
        const params = sampleRandom(space, randomNumbers(7, number));
        return Array.isArray(outcome)
          ? { number, params, status: 'complete', values: outcome }
          : { number, params, status: 'pruned', last: outcome };
      }),
    );

const anyStudy = fc
  .tuple(anySpace, fc.constantFrom(minimize, two), fc.constantFrom(...samplers), fc.maxSafeInteger(), anyNumber)
  .chain(([space, objectives, sampler, seed, number]) =>
    fc
      .tuple(anyHistory(space, objectives.length), fc.nat({ max: 5 }), fc.array(fc.boolean(), { maxLength: 8 }))
      .map(([history, others, keep]) => ({
        space,
        objectives,
        sampler,
        seed,
        number,
        history,
        running: Array.from({ length: others }, (_, index) => ({
          number: history.length + index,
          params: sampleRandom(space, randomNumbers(8, index)),
        })),
        fixed: someOf(space, sampleRandom(space, randomNumbers(9, number)), keep),
      })),
  );

describe('random and TPE, over any space, history and fixed parameters', () => {
  it('give parameters that the space has, and keep the fixed ones that are active', () => {
    fc.assert(
      fc.property(anyStudy, (study) => {
        const params = suggestParams(study) ?? {};
        expect(checkParams(study.space, params)).toEqual(params);
        for (const [name, value] of Object.entries(study.fixed)) expect(params[name]).toBe(value);
      }),
      { numRuns: 400 },
    );
  });

  it('give the same for the same study, in whatever order its names, trials and workers come', () => {
    fc.assert(
      fc.property(anyStudy, (study) => {
        const params = suggestParams(study);
        const turned = {
          ...study,
          space: reversed(study.space),
          history: study.history.toReversed(),
          running: study.running.toReversed(),
          fixed: reversed(study.fixed),
        };
        expect(Object.entries(suggestParams(turned) ?? {})).toEqual(Object.entries(params ?? {}));
      }),
      { numRuns: 200 },
    );
  });

  it('give another trial, and another seed, other parameters', () => {
    const space: SearchSpace = { x: { type: 'float', low: 0, high: 1 } };
    const drawn = [0, 1, 2].flatMap((seed) =>
      [0, 1, 2].map((number) =>
        suggestParams({ space, objectives: minimize, sampler: { kind: 'random' }, seed, number }),
      ),
    );
    expect(new Set(drawn.map((params) => params?.x)).size).toBe(9);
  });
});

describe('random', () => {
  const counts = (space: SearchSpace, name: string) => {
    const seen = new Map<unknown, number>();
    for (let number = 0; number < 8000; number += 1) {
      const value = sampleRandom(space, randomNumbers(1, number))[name];
      seen.set(value, (seen.get(value) ?? 0) + 1);
    }
    return seen;
  };

  it('gives each value of a range with steps, its ends included, and each choice as often as the others', () => {
    for (const space of [
      { x: { type: 'float', low: 0, high: 0.7, step: 0.1 } },
      { x: { type: 'int', low: -3, high: 4 } },
      { x: { type: 'int', low: 10, high: 24, step: 2 } },
      { x: { type: 'categorical', choices: ['a', 'b', 1, '1', true, null, 0, 2] } },
    ] satisfies readonly SearchSpace[]) {
      const seen = counts(space, 'x');
      expect(seen.size).toBe(8);
      for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
    }
    expect(
      [...counts({ x: { type: 'float', low: 0, high: 0.7, step: 0.1 } }, 'x').keys()].map(Number).sort((a, b) => a - b),
    ).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
  });

  it('with log gives as many values between 1 and 10 as between 10 and 100', () => {
    for (const type of ['float', 'int'] as const) {
      let below = 0;
      for (let number = 0; number < 8000; number += 1) {
        const { x } = sampleRandom({ x: { type, low: 1, high: 100, log: true } }, randomNumbers(2, number));
        if (Number(x) < 10) below += 1;
      }
      // An int has room from a half below its range to a half above it: ln(9.5 / 0.5) of ln(100.5 / 0.5).
      const share = type === 'float' ? 1 / 2 : Math.log(19) / Math.log(201);
      expect(Math.abs(below - 8000 * share)).toBeLessThan(230);
    }
  });
});

describe('a grid', () => {
  const cells = (space: SearchSpace, sampler: SamplerOptions & { kind: 'grid' }) =>
    Array.from({ length: gridSize(space, sampler) }, (_, number) =>
      suggestParams({ space, objectives: minimize, sampler, seed: 0, number }),
    );

  it('has each combination of steps, choices and given points once, the last parameter changing first', () => {
    const space: SearchSpace = {
      b: { type: 'int', low: 1, high: 3 },
      a: { type: 'categorical', choices: ['x', 'y'] },
      c: { type: 'float', low: 0, high: 1 },
    };
    const sampler = { kind: 'grid', points: { c: [1, 0.5] } } as const;
    expect(cells(space, sampler).slice(0, 5)).toEqual([
      { a: 'x', b: 1, c: 1 },
      { a: 'x', b: 1, c: 0.5 },
      { a: 'x', b: 2, c: 1 },
      { a: 'x', b: 2, c: 0.5 },
      { a: 'x', b: 3, c: 1 },
    ]);
    expect(gridSize(space, sampler)).toBe(12);
    expect(suggestParams({ space, objectives: minimize, sampler, seed: 0, number: 12 })).toBeUndefined();
  });

  it('does not multiply by parameters that are not active', () => {
    const space: SearchSpace = {
      model: { type: 'categorical', choices: ['tree', 'line', 'net'] },
      depth: { type: 'int', low: 2, high: 5, when: { param: 'model', in: ['tree', 'net'] } },
      rate: { type: 'float', low: 0, high: 0.2, step: 0.1, when: { param: 'depth', in: [2, 5] } },
    };
    // tree and net: depth 2 and 5 with three rates each, 3 and 4 with none; line: one cell.
    expect(gridSize(space, { kind: 'grid' })).toBe(2 * (3 + 1 + 1 + 3) + 1);
    const all = cells(space, { kind: 'grid' });
    expect(all.filter((params) => params?.model === 'line')).toEqual([{ model: 'line' }]);
    expect(all.filter((params) => params?.depth === 3)).toEqual([
      { model: 'tree', depth: 3 },
      { model: 'net', depth: 3 },
    ]);
  });

  it('leaves out what is not active also where objects have a member of that name', () => {
    const name = 'constructor';
    const space: SearchSpace = {
      model: { type: 'categorical', choices: ['line', 'net'] },
      [name]: { type: 'int', low: 1, high: 1, when: { param: 'model', in: ['net'] } } as const,
    };
    const found = cells(space, { kind: 'grid' }).map((params) => Object.entries(params ?? {}));
    expect(found).toEqual([
      [['model', 'line']],
      [
        ['model', 'net'],
        [name, 1],
      ],
    ]);
  });

  it('over any space of few cells has no cell twice, and only such as the space has', () => {
    fc.assert(
      fc.property(anySpace, (space) => {
        const points = Object.fromEntries(
          Object.entries(space).flatMap(([name, param]) =>
            param.type !== 'categorical' && countValues(param) > 12
              ? [[name, [...new Set([param.low, param.high])]]]
              : [],
          ),
        );
        const sampler = { kind: 'grid', points } as const;
        fc.pre(gridSize(space, sampler) <= 3000);
        const all = cells(space, sampler).map((params) => checkParams(space, params ?? {}));
        expect(new Set(all.map((params) => JSON.stringify(params))).size).toBe(all.length);
      }),
      { numRuns: 200 },
    );
  });

  it('finds a cell far into a space of 10^15 cells without counting up to it', () => {
    const space: SearchSpace = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`p${index}`, { type: 'int', low: 0, high: 999 } as const]),
    );
    expect(gridSize(space, { kind: 'grid' })).toBe(1e15);
    expect(
      suggestParams({ space, objectives: minimize, sampler: { kind: 'grid' }, seed: 0, number: 123_456_789_012_345 }),
    ).toEqual({ p0: 123, p1: 456, p2: 789, p3: 12, p4: 345 });
  });

  it.each([
    ['a range without step that it has no points for', { x: { type: 'float', low: 0, high: 1 } }, {}],
    ['points out of the range', { x: { type: 'float', low: 0, high: 1 } }, { x: [0, 2] }],
    ['a point twice', { x: { type: 'float', low: 0, high: 1 } }, { x: [0, 0] }],
    ['points of another parameter', { x: { type: 'int', low: 0, high: 1 } }, { y: [0] }],
    [
      'more than 2^53 cells',
      Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`p${index}`, { type: 'int', low: 0, high: 999 }])),
      {},
    ],
  ] as readonly (readonly [string, SearchSpace, Readonly<Record<string, readonly number[]>>])[])(
    'is refused with %s',
    (_, space, points) => {
      expect(() => gridSize(space, { kind: 'grid', points })).toThrow(/^The grid's points must/);
    },
  );

  it('stands aside for a trial with fixed parameters', () => {
    const space: SearchSpace = { x: { type: 'int', low: 0, high: 9 }, y: { type: 'int', low: 0, high: 9 } };
    const suggestion = { space, objectives: minimize, sampler: { kind: 'grid' }, seed: 0, number: 500 } as const;
    expect(suggestParams({ ...suggestion, fixed: { x: 3 } })?.x).toBe(3);
    expect(suggestParams({ ...suggestion, gridCell: 42 })).toEqual({ x: 4, y: 2 });
  });
});

describe('TPE', () => {
  const space: SearchSpace = {
    x: { type: 'float', low: 0, high: 1 },
    kind: { type: 'categorical', choices: ['a', 'b', 'c'] },
  };
  const seeds = Array.from({ length: 40 }, (_, seed) => seed);
  const suggest = (history: readonly EndedTrial[], more: object = {}) =>
    seeds.map(
      (seed) =>
        suggestParams({
          space,
          objectives: minimize,
          sampler: { kind: 'tpe' },
          seed,
          number: history.length,
          history,
          ...more,
        }) ?? {},
    );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanOfX = (all: ReturnType<typeof suggest>) => mean(all.map(({ x }) => Number(x)));
  const randomTrials = (count: number, valuesOf: (x: number) => readonly number[]) =>
    Array.from({ length: count }, (_, number): CompleteTrial => {
      const params = sampleRandom(space, randomNumbers(99, number));
      return { number, params, status: 'complete', values: valuesOf(Number(params.x)) };
    });

  it('draws at random until ten trials have ended, and near the best ones from then on', () => {
    const nine = randomTrials(9, (x) => [x]);
    expect(suggest(nine)).toEqual(suggest(nine, { sampler: { kind: 'random' } }));
    expect(meanOfX(suggest(randomTrials(40, (x) => [x])))).toBeLessThan(0.2);
    expect(meanOfX(suggest(randomTrials(40, (x) => [-x])))).toBeGreaterThan(0.8);
    const maximize = { objectives: [{ name: 'auc', direction: 'maximize' }] };
    expect(
      meanOfX(
        suggest(
          randomTrials(40, (x) => [x]),
          maximize,
        ),
      ),
    ).toBeGreaterThan(0.8);
  });

  it('takes NaN for worse than every number, in both directions', () => {
    const values = (x: number) => [x < 0.5 ? Number.NaN : 1];
    expect(meanOfX(suggest(randomTrials(60, values)))).toBeGreaterThan(0.6);
    expect(
      meanOfX(suggest(randomTrials(60, values), { objectives: [{ name: 'auc', direction: 'maximize' }] })),
    ).toBeGreaterThan(0.6);
  });

  it('ranks pruned trials behind complete ones, and by how far they came', () => {
    const pruned = randomTrials(40, () => []).map(({ number, params }): EndedTrial => {
      const step = Math.round(Number(params.x) * 10);
      return { number, params, status: 'pruned', last: step === 0 ? null : { step, value: 1 } };
    });
    expect(meanOfX(suggest(pruned))).toBeGreaterThan(0.8);
    const complete: EndedTrial[] = Array.from({ length: 8 }, (_, number) => ({
      number: 40 + number,
      params: { x: 0.1 + number / 100, kind: 'a' },
      status: 'complete',
      values: [1e9],
    }));
    expect(meanOfX(suggest([...pruned, ...complete]))).toBeLessThan(0.3);
  });

  it('goes elsewhere than the trials that others are at', () => {
    const history = randomTrials(30, (x) => [(x - 0.5) ** 2]);
    const near = (all: ReturnType<typeof suggest>) => all.filter(({ x }) => Math.abs(Number(x) - 0.5) < 0.03).length;
    const running = Array.from({ length: 20 }, (_, index) => ({
      number: 30 + index,
      params: { x: 0.49 + index / 1000, kind: 'a' },
    }));
    expect(near(suggest(history, { running }))).toBeLessThan(near(suggest(history)) / 2);
  });

  it('with several objectives follows the trials that none is better than', () => {
    // Better in both the nearer x comes to the range from 0.2 to 0.4, within which one is had for the other.
    const history = randomTrials(80, (x) => [Math.abs(x - 0.2), -Math.abs(x - 0.4)]);
    const all = suggest(history, { objectives: two });
    expect(all.filter(({ x }) => Number(x) > 0.1 && Number(x) < 0.5).length).toBeGreaterThan(35);
  });

  it('draws the others as they go with the fixed ones', () => {
    // Good are x = 0.2 with a, and x = 0.8 with b.
    const history = Array.from({ length: 60 }, (_, number): EndedTrial => {
      const params = sampleRandom(space, randomNumbers(5, number));
      const target = params.kind === 'a' ? 0.2 : params.kind === 'b' ? 0.8 : 5;
      return { number, params, status: 'complete', values: [Math.abs(Number(params.x) - target)] };
    });
    expect(meanOfX(suggest(history, { fixed: { kind: 'a' } }))).toBeLessThan(0.4);
    expect(meanOfX(suggest(history, { fixed: { kind: 'b' } }))).toBeGreaterThan(0.6);
    // Not only the choice among candidates goes by the fixed ones, but already how these are drawn.
    const one = { sampler: { kind: 'tpe', candidates: 1 } };
    const [withA, withB] = ['a', 'b'].map((kind) => meanOfX(suggest(history, { ...one, fixed: { kind } })));
    expect(Number(withB) - Number(withA)).toBeGreaterThan(0.25);
  });

  it('learns in each branch of a conditional space', () => {
    const branches: SearchSpace = {
      model: { type: 'categorical', choices: ['tree', 'net'] },
      depth: { type: 'int', low: 1, high: 20, when: { param: 'model', in: ['tree'] } },
      rate: { type: 'float', low: 1e-5, high: 1, log: true, when: { param: 'model', in: ['net'] } },
    };
    const history = Array.from({ length: 80 }, (_, number): EndedTrial => {
      const params = sampleRandom(branches, randomNumbers(3, number));
      const value =
        params.model === 'tree'
          ? Math.abs(Number(params.depth) - 15)
          : 100 + Math.abs(Math.log(Number(params.rate) / 1e-2));
      return { number, params, status: 'complete', values: [value] };
    });
    const more = { space: branches };
    const all = suggest(history, more);
    expect(all.filter(({ model }) => model === 'tree').length).toBeGreaterThan(25);
    const trees = suggest(history, { ...more, fixed: { model: 'tree' } });
    expect(mean(trees.map(({ depth }) => Math.abs(Number(depth) - 15)))).toBeLessThan(2);
    // Bad as they all are, the rates are not drawn at random.
    const nets = suggest(history, { ...more, fixed: { model: 'net' } });
    expect(mean(nets.map(({ rate }) => Math.abs(Math.log10(Number(rate)) + 2)))).toBeLessThan(0.7);
  });

  it('looks at the parameters of no more trials however long the history is', () => {
    const looksAt = (count: number) => {
      let looks = 0;
      const history = randomTrials(count, (x) => [x]).map((trial) => ({
        ...trial,
        get params() {
          looks += 1;
          return trial.params;
        },
      }));
      suggestParams({ space, objectives: minimize, sampler: { kind: 'tpe' }, seed: 0, number: count, history });
      return looks;
    };
    const atLimit = looksAt(TRAINING_LIMITS.tpeHistory + 100);
    expect(atLimit).toBeGreaterThan(TRAINING_LIMITS.tpeHistory);
    expect(looksAt(20_000)).toBeLessThan(atLimit * 1.1);
  });

  it('keeps the best trial of long ago', () => {
    const history = randomTrials(5000, (x) => [x]).map(
      (trial): EndedTrial =>
        trial.number < 20 ? { ...trial, params: { x: 0.9 + trial.number / 1000, kind: 'c' }, values: [-1] } : trial,
    );
    expect(meanOfX(suggest(history))).toBeGreaterThan(0.8);
  });
});
