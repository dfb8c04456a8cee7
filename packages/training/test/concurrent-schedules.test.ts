import { isDomainError, isLeaseLost, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant, withinMs } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  cancelRun,
  claimRun,
  createRun,
  deleteRun,
  finishRun,
  getRun,
  heartbeatRun,
  listRunEvents,
  logBatch,
  recordArtifacts,
  restoreRun,
  retryRun,
  startRun,
  sweepStaleRuns,
} from '../src/index.ts';
import { explains, LEASE, newRun, type Operation, type Outcome, type RunState } from './support/run-reference.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

const RUNS = 2;
const aRun = fc.constantFrom(0, 0, 0, 1);

/** What a worker does; with the token that it was given last for the run, or with none. */
type Step =
  | Exclude<Operation, { readonly token: number | undefined } | { readonly do: 'read' }>
  | { readonly do: 'heartbeat' | 'log' | 'record'; readonly run: number; readonly withToken: boolean }
  | {
      readonly do: 'finish';
      readonly run: number;
      readonly status: 'succeeded' | 'failed' | 'cancelled';
      readonly withToken: boolean;
    };

const withToken = fc.constantFrom(true, true, true, false);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      run: aRun,
      leased: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('heartbeat' as const), run: aRun, withToken: fc.constant(true) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('log' as const, 'record' as const),
      run: aRun,
      withToken,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      run: aRun,
      status: fc.constantFrom('failed' as const, 'failed' as const, 'succeeded' as const, 'cancelled' as const),
      withToken,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retry' as const), run: aRun }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel' as const, 'delete' as const, 'restore' as const, 'restore' as const),
      run: aRun,
    }),
  },
);

/** One step or several at a time: hours, of which a lease lasts two. Some take over what another has lost. */
const transaction = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      at: fc.integer({ min: 0, max: 9 }),
      steps: fc.oneof(
        { weight: 3, arbitrary: fc.tuple(step) },
        { weight: 1, arbitrary: fc.array(step, { minLength: 2, maxLength: 3 }) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ at: fc.constant(9), steps: aRun.map(takeOver) }) },
);

/** Begins by looking for a run. */
const worker = fc
  .array(transaction, { minLength: 2, maxLength: 6 })
  .map((transactions) => [{ at: 0, steps: [{ do: 'claim' }] as const satisfies readonly Step[] }, ...transactions]);

function takeOver(run: number): readonly Step[] {
  return [{ do: 'sweep' }, { do: 'retry', run }, { do: 'start', run, leased: true }];
}

const HOUR_MS = 3_600_000;
const at = (hour: number) => ({ now: new Date(Date.UTC(2030, 0, 1, hour)) });
const leaseMs = LEASE * HOUR_MS;

/** The step with the token that the worker would present; undefined where it has none to send a heartbeat with. */
function toOperation(given: Step, tokens: ReadonlyMap<number, number>): Operation | undefined {
  if (!('withToken' in given)) return given;
  const { run } = given;
  const token = given.withToken ? tokens.get(run) : undefined;
  if (given.do === 'finish') return { do: given.do, run, status: given.status, token };
  if (given.do !== 'heartbeat') return { do: given.do, run, token };
  return token === undefined || token === 0 ? undefined : { do: given.do, run, token };
}

async function call(tx: TenantTx, ids: readonly string[], operation: Operation): Promise<unknown> {
  const place = 'run' in operation ? operation.run : -1;
  const runId = ids[place] ?? '';
  const lease = { runId, ...('token' in operation ? { fencingToken: operation.token } : {}) };
  switch (operation.do) {
    case 'start': {
      const { fencingToken: token, attempt } = await startRun(tx, { runId, ...(operation.leased ? { leaseMs } : {}) });
      return { run: place, token, attempt };
    }
    case 'claim': {
      const run = await claimRun(tx, { leaseMs });
      if (run === undefined) return null;
      return { run: ids.indexOf(run.runId), token: run.fencingToken, attempt: run.attempt };
    }
    case 'sweep':
      return (await sweepStaleRuns(tx)).map(({ runId: id }) => ids.indexOf(id));
    case 'heartbeat':
      await heartbeatRun(tx, { runId, fencingToken: operation.token, leaseMs });
      return null;
    case 'log':
      await logBatch(tx, { ...lease, points: [{ key: 'loss', value: 1, step: 1 }] });
      return null;
    case 'record':
      await recordArtifacts(tx, { ...lease, artifacts: [{ path: 'a' }] });
      return null;
    case 'finish':
      await finishRun(tx, { ...lease, status: operation.status });
      return null;
    case 'cancel':
      await cancelRun(tx, { runId });
      return null;
    case 'retry':
      return await retryRun(tx, { runId });
    case 'delete':
      await deleteRun(tx, { runId });
      return null;
    case 'restore':
      await restoreRun(tx, { runId });
      return null;
    case 'read': {
      const states: unknown[] = [];
      for (const id of ids) {
        const { status, attempt } = await getRun(tx, { runId: id, includeDeleted: true });
        states.push([status, attempt]);
      }
      return states;
    }
  }
}

/** A transaction, what its operations gave, and when: no later one began before it had ended. */
interface Attempted {
  readonly at: number;
  readonly began: number;
  readonly ended: number;
  readonly committed: boolean;
  readonly calls: readonly { readonly operation: Operation; readonly outcome: Outcome }[];
}

interface Surroundings {
  readonly tenant: string;
  readonly ids: readonly string[];
  readonly turn: () => Promise<unknown>;
  readonly clock: () => number;
}

/** Runs it, and notes in `tokens` what the worker was given. */
async function tryTransaction(
  { tenant, ids, turn, clock }: Surroundings,
  { at: hour, steps }: { readonly at: number; readonly steps: readonly (Step | { readonly do: 'read' })[] },
  tokens: Map<number, number>,
): Promise<Attempted> {
  const began = clock();
  const calls: { readonly operation: Operation; readonly outcome: Outcome }[] = [];
  const work = async (tx: TenantTx) => {
    for (const given of steps) {
      await turn();
      const operation = given.do === 'read' ? given : toOperation(given, tokens);
      if (operation === undefined) continue;
      try {
        const gave = await call(tx, ids, operation);
        if (gave !== null && (operation.do === 'start' || operation.do === 'claim')) {
          const { run, token } = gave as { readonly run: number; readonly token: number };
          tokens.set(run, token);
        }
        calls.push({ operation, outcome: { gave } });
      } catch (error) {
        if (!isDomainError(error) || error.code === 'internal' || isLostRace(error)) throw error;
        calls.push({ operation, outcome: { refused: isLeaseLost(error) ? 'lost' : error.code } });
      }
    }
  };
  try {
    await training.run(tenant, work, { lockTimeoutMs: 400, ...at(hour) });
  } catch (error) {
    if (!isDomainError(error) || !isLostRace(error)) throw error;
    return { at: hour, began, ended: clock(), committed: false, calls: [] };
  }
  return { at: hour, began, ended: clock(), committed: true, calls };
}

/** A deadlock or a lock that did not come in time: the transaction has left nothing behind. */
const isLostRace = ({ code, details }: { readonly code: string; readonly details: object }) =>
  code === 'unavailable' || ('retryable' in details && details.retryable === true);

const overlap = (one: Attempted, other: Attempted) =>
  one !== other && other.began < one.ended && one.began < other.ended;

/** Looks for an order of the transactions that explains each outcome and keeps those in order that did not overlap. */
function isExplained(
  before: readonly RunState[],
  left: readonly Attempted[],
  all: readonly Attempted[],
  tried = new Set<string>(),
): boolean {
  if (left.length === 0) return true;
  const state = JSON.stringify([left.map(({ began }) => began), before]);
  if (tried.has(state)) return false;
  tried.add(state);
  const firstEnd = Math.min(...left.map(({ ended }) => ended));
  return left.some((candidate) => {
    if (candidate.began > firstEnd) return false;
    const runs = structuredClone(before) as RunState[];
    const moment = { at: candidate.at, overlapped: all.some((other) => overlap(candidate, other)) };
    const same = candidate.calls.every(({ operation, outcome }) => explains(runs, operation, outcome, moment));
    const others = left.filter((other) => other !== candidate);
    return same && isExplained(runs, others, all, tried);
  });
}

it('gives to transactions at the same time what runs in memory give to them one after the other', async () => {
  const count = { runs: 0, committed: 0, overlapping: 0 };
  const outcomes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(worker, { minLength: 3, maxLength: 3 }),
      fc.scheduler(),
      withinMs(15_000, async (workers, scheduler) => {
        const tenant = freshTenant();
        const ids: string[] = [];
        for (let index = 0; index < RUNS; index += 1) {
          const make = async (tx: TenantTx) => (await createRun(tx, { name: `r${index}` })).id;
          ids.push(await training.run(tenant, make, at(index)));
        }
        let ticks = 0;
        const clock = () => (ticks += 1);
        const turn = () => scheduler.schedule(Promise.resolve(), 'turn');
        const all: Attempted[] = [];
        const running = Promise.all(
          workers.map(async (transactions) => {
            const tokens = new Map<number, number>();
            for (const given of transactions)
              all.push(await tryTransaction({ tenant, ids, turn, clock }, given, tokens));
          }),
        );
        await scheduler.waitFor(running);
        const calm = () => Promise.resolve();
        const end = await tryTransaction(
          { tenant, ids, turn: calm, clock },
          { at: 9, steps: [{ do: 'read' }] },
          new Map(),
        );
        all.push(end);
        const committed = all.filter((one) => one.committed);
        const explained = isExplained(Array.from({ length: RUNS }, newRun), committed, all);
        expect(explained, `No order explains ${JSON.stringify(all, undefined, 1)}`).toBe(true);
        await expectHistoryToAgree(tenant, ids);

        count.runs += 1;
        count.committed += committed.length;
        count.overlapping += committed.filter((one) => all.some((other) => overlap(one, other))).length;
        for (const { operation, outcome } of committed.flatMap(({ calls }) => calls)) {
          const word = `${operation.do} ${'refused' in outcome ? outcome.refused : 'done'}`;
          outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
        }
      }),
    ),
    { numRuns: 300 },
  );
  // The schedules were what they are meant to be: many at once, some refused because the run was lost.
  expect(count.runs).toBeGreaterThan(3);
  expect(count.overlapping).toBeGreaterThan(count.committed / 2);
  const happened = (pattern: RegExp) =>
    [...outcomes].filter(([word]) => pattern.test(word)).reduce((sum, [, times]) => sum + times, 0);
  expect(happened(/ lost$/)).toBeGreaterThan(count.runs / 2);
  expect(happened(/ done$/)).toBeGreaterThan(count.runs);
}, 60_000);

/** The history is a chain of legal moves that ends where the run is. */
async function expectHistoryToAgree(tenant: string, ids: readonly string[]): Promise<void> {
  await training.run(tenant, async (tx) => {
    for (const runId of ids) {
      const { items } = await listRunEvents(tx, { runId, limit: 1_000 });
      const inOrder = items.toReversed();
      expect(inOrder.map(({ changeNumber }) => changeNumber)).toEqual(inOrder.map((_, index) => index + 1));
      let status: string | null = null;
      let deleted = false;
      for (const event of inOrder) {
        if (event.kind === 'deleted' || event.kind === 'restored') {
          expect(deleted).toBe(event.kind === 'restored');
          deleted = event.kind === 'deleted';
          continue;
        }
        expect(event.fromStatus).toBe(status);
        status = event.toStatus;
      }
      const run = await getRun(tx, { runId, includeDeleted: true });
      expect([run.status, run.deletedAt !== null]).toEqual([status, deleted]);
      expect(run.attempt).toBe(1 + inOrder.filter(({ kind }) => kind === 'retried').length);
      expect(run.leasedUntil !== null && run.status !== 'running').toBe(false);
    }
    const [events] = await tx.execute(sql`select count(*) from outbox_events`);
    expect(events).toEqual((await tx.execute(sql`select count(*) from training_events`))[0]);
  });
}
