import { newId, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnalysisInput,
  abAssignments,
  readAnalysisInput,
  recordExposures,
  recordOutcomes,
} from '../../src/index.ts';
import { type InsertedExperiment, insertExperiment } from '../support/insert-experiment.ts';
import {
  type Assigned,
  type CountedMetric,
  type Exposed,
  expectedInput,
  type Happened,
} from '../support/unit-reference.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const start = new Date('2026-05-04T00:00:00Z');
const now = new Date('2026-05-20T00:00:00Z');
const hour = 3_600_000;
const at = (hours: number) => new Date(start.getTime() + hours * hour);

const metrics = [
  { kind: 'mean', outcome: 'spent', cupedMs: 48 * hour },
  { kind: 'mean', outcome: 'spent', delayMs: 2 * hour, windowMs: 24 * hour },
  { kind: 'proportion', outcome: 'bought', cupedMs: 24 * hour },
  { kind: 'ratio', outcome: 'spent', denominator: 'bought' },
  { kind: 'quantile', outcome: 'waited', quantile: 0.5 },
] as const satisfies readonly CountedMetric[];

const variants = ['a', 'b', 'c'] as const;
const slots = 4;
const anHour = fc.integer({ min: 0, max: 160 });

const anExposure = (slot: number): fc.Arbitrary<Exposed> =>
  fc.record({
    unit: fc.integer({ min: 0, max: 5 }).map((n) => `unit ${slot} ${n}`),
    variant: fc.oneof({ weight: 8, arbitrary: fc.constant<string>('a') }, fc.constantFrom(...variants)),
    at: anHour.map(at),
    slices: fc.constantFrom<Readonly<Record<string, string>>>({}, { country: 'de' }, { country: 'fr', plan: 'free' }),
  });

const anOutcome: fc.Arbitrary<Happened> = fc
  .record({
    unit: fc
      .tuple(fc.integer({ min: 0, max: slots - 1 }), fc.integer({ min: 0, max: 5 }))
      .map(([s, n]) => `unit ${s} ${n}`),
    outcome: fc.constantFrom('spent', 'bought', 'waited', 'unread'),
    at: anHour.map(at),
    value: fc.oneof(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: 1e9, max: 1e9 + 1, noNaN: true }),
      fc.constantFrom(0, -0, 0.1, 1 / 3, 1e-200, 1e100, -1e100),
    ),
  })
  .map((outcome) => ({ ...outcome, id: newId(outcome.at) }));

type Work =
  | { readonly exposures: readonly Exposed[] }
  | { readonly outcomes: readonly Happened[]; readonly repeat: boolean }
  | { readonly assignment: Assigned }
  | { readonly hours: number };

interface Step {
  /** The open transaction whose place this one takes. */
  readonly slot: number;
  readonly commit: boolean;
  readonly work: Work;
}

const aStep: fc.Arbitrary<Step> = fc.integer({ min: 0, max: slots - 1 }).chain((slot) =>
  fc.record({
    slot: fc.constant(slot),
    commit: fc.boolean().chain((one) => fc.boolean().map((other) => one || other)),
    work: fc.oneof(
      { weight: 3, arbitrary: fc.record({ exposures: fc.array(anExposure(slot), { minLength: 1, maxLength: 8 }) }) },
      {
        weight: 3,
        arbitrary: fc.record({ outcomes: fc.array(anOutcome, { minLength: 1, maxLength: 10 }), repeat: fc.boolean() }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          assignment: fc.record({
            unit: fc.integer({ min: 0, max: 5 }).map((n) => `unit ${slot} ${n}`),
            variant: fc.constantFrom(...variants),
            forced: fc.boolean(),
            at: anHour.map(at),
          }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ hours: fc.integer({ min: 0, max: 40 }) }) },
    ),
  }),
);

const undo = new Error('undo');

/** A transaction that has done its work and waits to be ended. */
async function open(tenant: string, work: (tx: TenantTx) => Promise<unknown>) {
  let end: (commit: boolean) => void = () => {};
  const ending = new Promise<boolean>((resolve) => (end = resolve));
  let done: () => void = () => {};
  const worked = new Promise<void>((resolve) => (done = resolve));
  const ended = experiments
    .run(
      tenant,
      async (tx) => {
        await work(tx);
        done();
        if (!(await ending)) throw undo;
      },
      { now },
    )
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  await Promise.race([worked, ended]);
  return async (commit: boolean) => {
    end(commit);
    await ended;
  };
}

interface Committed {
  readonly exposures: Exposed[];
  readonly outcomes: Happened[];
  readonly assignments: Assigned[];
}

/** Runs the steps with up to four transactions open, and looks after each refresh whether it is what a recomputation is. */
async function perform(tenant: string, made: InsertedExperiment, steps: readonly Step[]): Promise<void> {
  const committed: Committed = { exposures: [], outcomes: [], assignments: [] };
  const opened = new Map<number, { readonly end: (commit: boolean) => Promise<void>; readonly work: Work }>();
  const endOne = async (slot: number, commit: boolean) => {
    const ending = opened.get(slot);
    if (ending === undefined) return;
    opened.delete(slot);
    await ending.end(commit);
    if (!commit) return;
    const { work } = ending;
    // Of those of a call at one time the least slices are kept, which for jsonb are those with the fewest keys.
    const keysOf = ({ slices }: Exposed) => Object.keys(slices).length;
    if ('exposures' in work) {
      committed.exposures.push(...work.exposures.toSorted((one, other) => keysOf(one) - keysOf(other)));
    }
    if ('outcomes' in work) committed.outcomes.push(...work.outcomes);
    if ('assignment' in work && committed.assignments.every(({ unit }) => unit !== work.assignment.unit)) {
      committed.assignments.push(work.assignment);
    }
  };
  let hours = 0;
  const look = async (commit: boolean) => {
    const asOf = at(hours);
    const looking = experiments.run(
      tenant,
      async (tx) => {
        const refreshed = await readAnalysisInput(tx, { experimentId: made.experimentId, asOf });
        const full = await readAnalysisInput(tx, { experimentId: made.experimentId, asOf, full: true });
        expect(refreshed).toStrictEqual(full);
        holdAgainst(full, committed, made, asOf);
        if (!commit) throw undo;
      },
      { now },
    );
    await looking.catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  };
  for (const { slot, commit, work } of steps) {
    if ('hours' in work) {
      hours += work.hours;
      await look(commit);
      continue;
    }
    await endOne(slot, commit);
    if ('exposures' in work) {
      const exposures = work.exposures.map((exposure) => ({ experiment: 'e', ...exposure }));
      opened.set(slot, { work, end: await open(tenant, (tx) => recordExposures(tx, { exposures })) });
    } else if ('outcomes' in work) {
      // Ids that are committed come again, as from a client that was not told.
      const again = work.repeat ? committed.outcomes.slice(-3) : [];
      const outcomes = [...work.outcomes, ...again].map(({ id, unit, outcome, value }) => ({
        id,
        unit,
        outcome,
        value,
      }));
      opened.set(slot, { work, end: await open(tenant, (tx) => recordOutcomes(tx, { outcomes })) });
    } else {
      const { unit, variant, forced, at: assignedAt } = work.assignment;
      const values = {
        experimentId: made.experimentId,
        variantId: made.variants[variant],
        unit,
        epoch: 1,
        forced,
        assignedAt,
      };
      const insert = (tx: TenantTx) =>
        tx
          .insert(abAssignments)
          .values(values as typeof abAssignments.$inferInsert)
          .onConflictDoNothing();
      opened.set(slot, { work, end: await open(tenant, insert) });
    }
  }
  for (const slot of opened.keys()) await endOne(slot, true);
  hours += 10;
  await look(true);
  hours += 200;
  await look(true);
}

function holdAgainst(input: AnalysisInput, all: Committed, made: InsertedExperiment, asOf: Date): void {
  const expected = expectedInput(all, metrics, asOf);
  const { units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes } = expected;
  expect(input).toMatchObject({ units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes });
  for (const [index, metricId] of made.metricIds.entries()) {
    for (const variant of variants) {
      for (const slice of [null, { dimension: 'country', value: 'de' }]) {
        const own = expected.counted.filter(
          ({ variant: of, slices }) => of === variant && (slice === null || slices['country'] === slice.value),
        );
        const isSlice = (row: AnalysisInput['metrics'][number] | AnalysisInput['quantiles'][number]) =>
          row.metricId === metricId &&
          row.variantId === made.variants[variant] &&
          (row.slice?.dimension ?? null) === (slice?.dimension ?? null) &&
          (row.slice?.value ?? null) === (slice?.value ?? null);
        if (metrics[index]?.kind === 'quantile') {
          const observed = own.flatMap(({ y }) => y[index] ?? []);
          expect(input.quantiles.find(isSlice)?.n ?? 0).toBe(observed.length);
          continue;
        }
        const row = input.metrics.find(isSlice);
        expect(row?.sums.n ?? 0).toBe(own.length);
        if (row === undefined) continue;
        const y = own.map((unit) => unit.y[index] ?? 0);
        const x = own.map((unit) => unit.x[index] ?? 0);
        const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
        const size = Math.max(1e-300, ...y.map(Math.abs), ...x.map(Math.abs));
        const close = (got: number, wanted: number, scale: number) =>
          expect(Math.abs(got - wanted)).toBeLessThanOrEqual(scale * 1e-9);
        close(row.sums.meanY, meanOf(y), size);
        close(row.sums.meanX, meanOf(x), size);
        close(
          row.sums.m2Y,
          y.reduce((sum, value) => sum + (value - meanOf(y)) ** 2, 0),
          size * size * y.length,
        );
        close(
          row.sums.cXY,
          y.reduce((sum, value, n) => sum + (value - meanOf(y)) * ((x[n] ?? 0) - meanOf(x)), 0),
          size * size * y.length,
        );
      }
    }
  }
}

describe('refreshUnits', () => {
  it('gives what a recomputation from all that was recorded gives, bit for bit, whatever happens in which order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 30 }), async (steps) => {
        const tenant = freshTenant();
        const made = await experiments.run(tenant, (tx) => insertExperiment(tx, 'e', variants, metrics), { now });
        await perform(tenant, made, steps);
      }),
      // The same cases each time; who searches for others drops the seed and raises the number.
      { numRuns: 60, seed: 20_261_124 },
    );
  });
});
