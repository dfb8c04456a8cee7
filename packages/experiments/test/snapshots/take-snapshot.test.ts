import { dispatchWork, newId, type TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  compareSnapshots,
  createExperiment,
  experimentSnapshotHandler,
  getSnapshot,
  listExperimentDecisions,
  listSnapshots,
  recordExposures,
  recordOutcomes,
  scheduleSnapshots,
  takeSnapshot,
  transitionExperiment,
  verifySnapshot,
} from '../../src/index.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 4, day, hour));

const makeExperiment = async (tx: TenantTx, test: 'fixed' | 'sequential' = 'sequential'): Promise<string> => {
  const { id: experimentId } = await createExperiment(tx, {
    ...{ key: 'checkout', hypothesis: 'A shorter form is finished more often.', test, minimumUnits: 10 },
    variants: [{ key: 'long' }, { key: 'short' }],
    metrics: [
      { key: 'spent', role: 'primary', kind: 'mean', cupedMs: 5 * 86_400_000 },
      { key: 'bought', role: 'secondary', kind: 'proportion', outcome: 'spent' },
      { key: 'wait', role: 'guardrail', kind: 'quantile', quantile: 0.5, outcome: 'wait', direction: 'decrease' },
    ],
  });
  await transitionExperiment(tx, { experimentId, status: 'running' });
  return experimentId;
};

const variantOf = (n: number) => (n % 2 === 0 ? 'long' : 'short');

/** Twenty units of one day, each with something before and something after its exposure. */
async function recordDay(tx: TenantTx, day: number): Promise<void> {
  const units = Array.from({ length: 20 }, (_, n) => ({ unit: `u${day} ${n}`, n }));
  await recordExposures(tx, {
    exposures: units.map(({ unit, n }) => ({
      ...{ experiment: 'checkout', unit, variant: variantOf(n), at: at(day, 10), slices: { plan: n < 10 ? 'a' : 'b' } },
    })),
  });
  await recordOutcomes(tx, {
    outcomes: units.flatMap(({ unit, n }) => [
      { id: newId(at(day, 8)), outcome: 'spent', unit, value: (n % 5) + 0.1 },
      { id: newId(at(day, 12)), outcome: 'spent', unit, value: (n % 5) + (n % 2) / 3 },
      { id: newId(at(day, 12)), outcome: 'wait', unit, value: n * 1.1 },
    ]),
  });
}

const inTenant = <Result>(tenant: string, day: number, work: (tx: TenantTx) => Promise<Result>) =>
  experiments.run(tenant, work, { now: at(day) });

describe('a snapshot of what was recorded', () => {
  it('is the same to the last bit from the data, until some come late, and says so', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, (tx) => makeExperiment(tx));
    for (const day of [2, 3, 4]) await inTenant(tenant, day + 1, (tx) => recordDay(tx, day));
    const first = await inTenant(tenant, 4, (tx) => takeSnapshot(tx, { experimentId, asOf: at(4) }));
    expect(first).toMatchObject({ number: 1, look: 1, asOf: at(4), units: 40, outcomes: 80 });
    const primary = first.analysis.results.find(({ isControl, slice }) => !isControl && slice === null);
    expect(primary).toMatchObject({ metricKey: 'spent', n: 20, reason: null });
    expect(primary?.unadjusted).not.toBeNull();
    const again = await inTenant(tenant, 6, async (tx) => ({
      verified: await verifySnapshot(tx, { snapshotId: first.id, data: true }),
      second: await takeSnapshot(tx, { key: 'checkout' }),
    }));
    expect(again.verified).toEqual({ isIntact: true, isSameFromInput: true, isSameCode: true, isSameFromData: true });
    expect(again.second).toMatchObject({ number: 2, look: 2, asOf: at(6), units: 60 });
    const compare = () =>
      inTenant(tenant, 7, (tx) => compareSnapshots(tx, { from: first.id, to: again.second.id, data: true }));
    expect((await compare()).differences.map(({ because }) => because)).toEqual(['new_data']);
    const late = { id: newId(at(3, 1)), outcome: 'spent', unit: 'u2 0', value: 7 };
    await inTenant(tenant, 7, (tx) => recordOutcomes(tx, { outcomes: [late] }));
    const verified = await inTenant(tenant, 7, (tx) => verifySnapshot(tx, { snapshotId: first.id, data: true }));
    expect(verified).toMatchObject({ isIntact: true, isSameFromInput: true, isSameFromData: false });
    expect((await compare()).differences.map(({ because }) => because)).toEqual(['new_data', 'late_data']);
  });

  it('cannot be held against the data once the definition is another', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, (tx) => makeExperiment(tx));
    const { id: snapshotId } = await inTenant(tenant, 2, (tx) => takeSnapshot(tx, { experimentId }));
    await inTenant(tenant, 2, (tx) => tx.execute(sql`update ab_experiments set alpha = 0.01, revision = 2`));
    const verified = await inTenant(tenant, 2, (tx) => verifySnapshot(tx, { snapshotId, data: true }));
    expect(verified).toMatchObject({ isSameFromInput: true, isSameFromData: null });
  });

  it('compares within allocations where the weights changed while it ran', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, (tx) => makeExperiment(tx));
    await inTenant(tenant, 3, (tx) => recordDay(tx, 2));
    await inTenant(tenant, 3, (tx) =>
      tx.execute(sql`
        with moved as (update ab_experiments set epoch = 2)
        insert into ab_allocations (experiment_id, epoch, seed, hash_version, coverage, weights, ranges, sdk_compatible)
        select experiment_id, 2, seed, hash_version, coverage, '{0.4,0.6}', ranges, false from ab_allocations`),
    );
    await inTenant(tenant, 5, (tx) => recordDay(tx, 4));
    const { analysis } = await inTenant(tenant, 6, (tx) => takeSnapshot(tx, { experimentId }));
    expect(analysis.health.find(({ check }) => check === 'allocation')).toMatchObject({ verdict: 'warning', value: 2 });
    const wholes = analysis.results.filter(({ isControl, slice }) => !isControl && slice === null);
    expect(wholes.map(({ metricKey, comparison }) => [metricKey, comparison?.absolute.reason === null])).toEqual([
      ['spent', true],
      ['bought', false],
      ['wait', false],
    ]);
    expect(analysis.results.some(({ slice }) => slice?.dimension === 'plan')).toBe(true);
    expect(analysis.results.some(({ slice }) => slice?.dimension === 'allocation_epoch')).toBe(false);
  });

  it('is refused of a draft, of a time that lies ahead and of no experiment', async () => {
    const tenant = freshTenant();
    await inTenant(tenant, 1, async (tx) => {
      const { id } = await createExperiment(tx, {
        ...{ key: 'draft', hypothesis: 'None.', variants: [{ key: 'a' }, { key: 'b' }] },
      });
      expect(await failureOf(takeSnapshot(tx, { experimentId: id }))).toMatchObject({ code: 'failed_precondition' });
      const experimentId = await makeExperiment(tx);
      const ahead = await failureOf(takeSnapshot(tx, { experimentId, asOf: at(2) }));
      expect(ahead).toMatchObject({ code: 'invalid_input', details: { field: 'asOf' } });
      expect(await failureOf(takeSnapshot(tx, { key: 'nobodys' }))).toMatchObject({ code: 'not_found' });
    });
  });

  it('is taken once for one idempotency key', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, (tx) => makeExperiment(tx));
    const take = (asOf: Date) =>
      inTenant(tenant, 5, (tx) => takeSnapshot(tx, { experimentId, asOf, idempotencyKey: 'k' }));
    const first = await take(at(4));
    expect((await take(at(4))).id).toBe(first.id);
    expect(await failureOf(take(at(3)))).toMatchObject({ code: 'conflict' });
  });
});

describe('snapshots by the dispatcher', () => {
  const run = (day: number, settings: Parameters<typeof experimentSnapshotHandler>[0] = {}) =>
    dispatchWork(experiments.db, { ...experimentSnapshotHandler(settings), now: () => at(day) });
  const numbers = async (tenant: string, experimentId: string) =>
    await experiments.run(tenant, async (tx) => {
      const { items } = await listSnapshots(tx, { experimentId });
      return items.map(({ asOf }) => asOf.getUTCDate()).toReversed();
    });

  it('are taken of a sequential test every day, and once more after it has stopped', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, async (tx) => {
      const id = await makeExperiment(tx);
      await scheduleSnapshots(tx, { experimentId: id });
      return id;
    });
    await inTenant(tenant, 2, (tx) => recordDay(tx, 1));
    await run(2, { decide: true });
    await run(2);
    await run(3);
    expect(await numbers(tenant, experimentId)).toEqual([2, 3]);
    const decisions = await experiments.run(tenant, (tx) => listExperimentDecisions(tx));
    expect(decisions.items.map(({ snapshotNumber, verdict }) => [snapshotNumber, verdict])).toEqual([[1, 'continue']]);
    await inTenant(tenant, 3, (tx) => transitionExperiment(tx, { experimentId, status: 'stopped' }));
    await run(4);
    await run(9);
    expect(await numbers(tenant, experimentId)).toEqual([2, 3, 4]);
  });

  it('are not taken of a fixed test before it has stopped', async () => {
    const tenant = freshTenant();
    const experimentId = await inTenant(tenant, 1, async (tx) => {
      const id = await makeExperiment(tx, 'fixed');
      await scheduleSnapshots(tx, { experimentId: id, dueAt: at(2) });
      return id;
    });
    for (const day of [1, 2, 3]) await run(day);
    expect(await numbers(tenant, experimentId)).toEqual([]);
    await inTenant(tenant, 3, (tx) => transitionExperiment(tx, { experimentId, status: 'stopped' }));
    await run(4);
    expect(await numbers(tenant, experimentId)).toEqual([4]);
  });

  it('are asked for of experiments of the tenant alone', async () => {
    const [owner, stranger] = [freshTenant(), freshTenant()];
    const experimentId = await inTenant(owner, 1, (tx) => makeExperiment(tx));
    const failures = await Promise.all(
      [experimentId, newId()].map(async (id) => {
        const { message } = (await failureOf(
          experiments.run(stranger, (tx) => scheduleSnapshots(tx, { experimentId: id })),
        )) as Error;
        return message;
      }),
    );
    expect(failures[0]).toBe(failures[1]);
    // A stranger's work row that names it takes nothing.
    await experiments.run(stranger, (tx) =>
      tx.execute(sql`insert into tenant_work (kind, work_key) values ('experiments.snapshot', ${experimentId})`),
    );
    await run(3);
    expect(await numbers(owner, experimentId)).toEqual([]);
    expect(await numbers(stranger, experimentId)).toEqual([]);
  });
});

it('reads a snapshot that another experiment of the tenant does not share', async () => {
  const tenant = freshTenant();
  const experimentId = await inTenant(tenant, 1, (tx) => makeExperiment(tx));
  const taken = await inTenant(tenant, 2, (tx) => takeSnapshot(tx, { experimentId }));
  expect(await inTenant(tenant, 3, (tx) => getSnapshot(tx, { snapshotId: taken.id }))).toEqual(taken);
});
