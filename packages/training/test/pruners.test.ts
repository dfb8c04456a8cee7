import { readFileSync } from 'node:fs';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AskedTrial,
  findBestTrial,
  listParetoTrials,
  listTrialValues,
  PrunerOptions,
  reportTrialValue,
  tellTrial,
} from '../src/index.ts';
import { type PlainTrial, shouldPrune } from './support/pruner-reference.ts';
import { refusalOf } from './support/refusal-of.ts';
import { ask, makeStudy } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

type Direction = 'minimize' | 'maximize';
type State = 'complete' | 'pruned' | 'failed';
type Event = ['ask', number] | ['tell', number, State, number] | ['report', number, number, number | string, boolean];

interface Fixture {
  readonly studies: readonly {
    readonly direction: Direction;
    readonly pruner: PrunerOptions;
    readonly events: readonly Event[];
    readonly best: number;
  }[];
  readonly fronts: readonly {
    readonly directions: readonly Direction[];
    readonly values: readonly (readonly (number | string)[])[];
    readonly front: readonly number[];
  }[];
}

/** What Optuna 5.0.0 decided; optuna-decisions.py beside it says how it was made. */
const fixture = JSON.parse(readFileSync(new URL('fixtures/optuna-decisions.json', import.meta.url), 'utf8')) as Fixture;

const objectivesOf = (directions: readonly Direction[]) =>
  directions.map((direction, place) => ({ name: `objective ${place}`, direction }));

/** Plays trials that report and end, by their places; the decisions in the order of the reports. */
async function play(pruner: PrunerOptions, direction: Direction, events: readonly Event[]) {
  const tenant = freshTenant();
  const { id: studyId } = await makeStudy(training, tenant, { pruner, objectives: objectivesOf([direction]) });
  const trials = new Map<number, AskedTrial>();
  const decisions: boolean[] = [];
  for (const event of events) {
    if (event[0] === 'ask') {
      trials.set(event[1], await ask(training, tenant, studyId));
      continue;
    }
    const trial = trials.get(event[1]);
    if (trial === undefined) throw new Error('It was not asked for.');
    const { lease } = trial;
    if (event[0] === 'report') {
      const [, , step, value] = event;
      const said = await training.run(tenant, (tx) => reportTrialValue(tx, { lease, step, value: Number(value) }));
      decisions.push(said.shouldPrune);
    } else {
      const [, , state, value] = event;
      const how = state === 'complete' ? { values: value } : { state };
      await training.run(tenant, (tx) => tellTrial(tx, { lease, ...how }));
    }
  }
  const best = await training.run(tenant, (tx) => findBestTrial(tx, { studyId }));
  return { decisions, best: best?.number };
}

/** The same, in plain TypeScript. */
function playPlainly(pruner: PrunerOptions, direction: Direction, events: readonly Event[]): readonly boolean[] {
  const trials: PlainTrial[] = [];
  return events.flatMap((event) => {
    if (event[0] === 'ask') {
      trials[event[1]] = { state: 'running', values: new Map(), rungs: [] };
      return [];
    }
    const trial = trials[event[1]];
    if (trial === undefined) throw new Error('It was not asked for.');
    if (event[0] === 'tell') {
      trial.state = event[2];
      return [];
    }
    trial.values.set(event[2], Number(event[3]));
    return [shouldPrune(pruner, direction, trials, trial)];
  });
}

const decisionsIn = (events: readonly Event[]) => events.flatMap((event) => (event[0] === 'report' ? [event[4]] : []));

describe('a pruner', () => {
  it.each(fixture.studies.map((study, place) => [place, study] as const))(
    'decides as Optuna does (study %i of the fixture)',
    async (_, { pruner, direction, events, best }) => {
      expect(playPlainly(pruner, direction, events)).toEqual(decisionsIn(events));
      expect(await play(pruner, direction, events)).toEqual({ decisions: decisionsIn(events), best });
    },
    60_000,
  );

  const value = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -4, max: 4 }) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, 0.5) },
  );
  const pruner: fc.Arbitrary<PrunerOptions> = fc.oneof(
    fc.record(
      {
        kind: fc.constantFrom('median' as const),
        startupTrials: fc.integer({ min: 0, max: 3 }),
        warmupSteps: fc.integer({ min: 0, max: 3 }),
        intervalSteps: fc.integer({ min: 1, max: 3 }),
        minTrials: fc.integer({ min: 1, max: 3 }),
      },
      { requiredKeys: ['kind'] },
    ),
    fc.record({ kind: fc.constantFrom('percentile' as const), percentile: fc.constantFrom(0, 25, 75, 100) }),
    fc.record(
      {
        kind: fc.constantFrom('asha' as const),
        minResource: fc.integer({ min: 1, max: 3 }),
        reductionFactor: fc.integer({ min: 2, max: 4 }),
        minEarlyStoppingRate: fc.integer({ min: 0, max: 1 }),
        bootstrapCount: fc.integer({ min: 0, max: 2 }),
      },
      { requiredKeys: ['kind'] },
    ),
  );
  const step = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(64, 4_096, Number.MAX_SAFE_INTEGER));
  const trial = fc.record({
    points: fc.uniqueArray(fc.tuple(step, value), { maxLength: 5, selector: ([at]) => at }),
    state: fc.constantFrom<State>('complete', 'complete', 'pruned', 'failed'),
  });

  it('decides as a plain reference does, whatever trials report', async () => {
    const direction = fc.constantFrom<Direction>('minimize', 'maximize');
    await fc.assert(
      fc.asyncProperty(
        pruner,
        direction,
        fc.array(trial, { minLength: 2, maxLength: 6 }),
        async (options, way, all) => {
          const events = all.flatMap(({ points, state }, place): Event[] => [
            ['ask', place],
            ...points.map(([at, reported]): Event => ['report', place, at, reported, false]),
            ['tell', place, state, place],
          ]);
          const { decisions } = await play(options, way, events);
          expect(decisions).toEqual(playPlainly(options, way, events));
        },
      ),
      { numRuns: 60 },
    );
  }, 240_000);
});

describe('reportTrialValue', () => {
  const pruner = { kind: 'asha', reductionFactor: 2 } as const;

  it('gives the first decision again for a value that is sent again, and refuses another', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { pruner });
    const report = (trial: AskedTrial, value: number) =>
      training.run(tenant, (tx) => reportTrialValue(tx, { lease: trial.lease, step: 1, value }));
    const [good, bad] = [await ask(training, tenant, studyId), await ask(training, tenant, studyId)];
    expect(await report(good, 1)).toEqual({ shouldPrune: false });
    expect(await report(bad, 2)).toEqual({ shouldPrune: true });
    expect(await report(bad, 2)).toEqual({ shouldPrune: true });
    expect(await report(good, 1)).toEqual({ shouldPrune: false });
    expect(await refusalOf(report(good, 3))).toMatchObject({ code: 'conflict', details: { field: 'value' } });
    const { items } = await training.run(tenant, (tx) => listTrialValues(tx, { trialId: bad.trialId }));
    expect(items).toMatchObject([{ attempt: 1, step: 1, value: 2, shouldPrune: true }]);
  });

  it('keeps NaN and infinities, sent again too', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const { lease, trialId } = await ask(training, tenant, studyId);
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [step, value] of [...values.entries(), ...values.entries()]) {
      expect(await training.run(tenant, (tx) => reportTrialValue(tx, { lease, step, value }))).toEqual({
        shouldPrune: false,
      });
    }
    const { items } = await training.run(tenant, (tx) => listTrialValues(tx, { trialId }));
    expect(items.map(({ value }) => value)).toEqual(values);
  });

  it('prunes nothing in a study with several objectives', async () => {
    const objectives = objectivesOf(['minimize', 'maximize']);
    expect(await refusalOf(makeStudy(training, freshTenant(), { pruner, objectives }))).toMatchObject({
      code: 'invalid_input',
      details: { field: 'pruner' },
    });
  });
});

it.each(fixture.fronts.map((front, place) => [place, front] as const))(
  'finds the Pareto front that Optuna finds (front %i of the fixture)',
  async (_, { directions, values, front }) => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant, { objectives: objectivesOf(directions) });
    for (const point of values) {
      const { lease } = await ask(training, tenant, studyId);
      await training.run(tenant, (tx) => tellTrial(tx, { lease, values: point.map(Number) }));
    }
    const { items } = await training.run(tenant, (tx) => listParetoTrials(tx, { studyId }));
    expect(items.map(({ number }) => number)).toEqual(front);
  },
);
