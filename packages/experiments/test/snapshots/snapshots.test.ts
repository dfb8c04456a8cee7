import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import {
  analyse,
  compareSnapshots,
  findOfficialSnapshot,
  getSnapshot,
  listSnapshotPins,
  listSnapshotResults,
  listSnapshots,
  pinSnapshot,
  unpinSnapshot,
  verifySnapshot,
} from '../../src/index.ts';
import { readAnalysisDefinition } from '../../src/snapshots/read-analysis-definition.ts';
import { storeSnapshot } from '../../src/snapshots/store-snapshot.ts';
import { snapshotOf, someUnits, startedExperiment } from '../support/analysed-experiment.ts';
import { inputOf } from '../support/units.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const at = (day: number) => new Date(Date.UTC(2026, 4, day));

describe('a snapshot', () => {
  it('is read as the analysis was, to the last bit, with input, definition and bound', async () => {
    const tenant = freshTenant();
    await experiments.run(
      tenant,
      async (tx) => {
        const { experimentId, definition } = await startedExperiment(tx);
        const units = someUnits(definition, 3);
        const snapshotId = await snapshotOf(tx, experimentId, units, { asOf: at(4), forcedUnits: 7 });
        const found = await getSnapshot(tx, { snapshotId });
        expect(found).toMatchObject({ number: 1, look: 1, asOf: at(4), revision: 1, codeVersion: 1, units: 600 });
        expect(found).toMatchObject({ forcedUnits: 7, definition });
        const input = inputOf(definition, units, { asOf: at(4), forcedUnits: 7 });
        expect(found.analysis).toEqual(analyse(definition, input));
        expect(analyse(found.definition, found.input)).toEqual(found.analysis);
        expect(found.analysis.results).toHaveLength(4 * 2 * 3);
        expect(found.inputHash).toMatch(/^[0-9a-f]{64}$/);
      },
      { now: at(20) },
    );
  });

  it('counts different inputs as looks: the same data again are no other one', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      const days = [
        someUnits(definition, 1),
        someUnits(definition, 1),
        someUnits(definition, 2),
        someUnits(definition, 1),
      ];
      for (const [i, units] of days.entries()) await snapshotOf(tx, experimentId, units, { asOf: at(2 + i) });
      const { items } = await listSnapshots(tx, { experimentId });
      expect(items.map(({ number, look }) => [number, look])).toEqual([
        [4, 2],
        [3, 2],
        [2, 1],
        [1, 1],
      ]);
      const second = await listSnapshots(tx, { experimentId, filter: 'look = 2 AND number < 4' });
      expect(second.items.map(({ asOf }) => asOf)).toEqual([at(4)]);
    });
  });

  it('takes one number after the other where two are taken at once', async () => {
    const tenant = freshTenant();
    const { experimentId, definition } = await experiments.run(tenant, (tx) => startedExperiment(tx));
    await Promise.all(
      [1, 2, 3, 4].map((days) =>
        experiments.run(tenant, (tx) => snapshotOf(tx, experimentId, someUnits(definition, days))),
      ),
    );
    const { items } = await experiments.run(tenant, (tx) => listSnapshots(tx, { experimentId }));
    expect(items.map(({ number, look }) => [number, look])).toEqual([4, 3, 2, 1].map((number) => [number, number]));
  });

  it('is refused where the definition changed while its data were read', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      const read = await readAnalysisDefinition(tx, { experimentId });
      await tx.execute(sql`update ab_experiments set revision = 2 where id = ${experimentId}::uuid`);
      const failure = await failureOf(storeSnapshot(tx, read, inputOf(definition, [])));
      expect(failure).toMatchObject({ code: 'conflict', details: { retryable: true } });
    });
  });

  it('cannot be changed or deleted by a tenant', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      await snapshotOf(tx, experimentId, someUnits(definition, 1));
    });
    for (const table of ['ab_analysis_snapshots', 'ab_snapshot_results', 'ab_snapshot_pins', 'ab_decisions']) {
      for (const statement of [`delete from ${table}`, `update ${table} set tenant_id = tenant_id`]) {
        const failure = await failureOf(experiments.run(tenant, (tx) => tx.execute(sql.raw(statement))));
        expect(failure).toMatchObject({ code: 'permission_denied' });
      }
    }
  });

  it('lists its numbers by pages, filters and order', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      const snapshotId = await snapshotOf(tx, experimentId, someUnits(definition, 3));
      const all = await listSnapshotResults(tx, { snapshotId });
      expect(all.items.map(({ position }) => position)).toEqual(all.items.map((_, i) => i));
      const filter = "role = 'primary' AND dimension = '' AND variant_key = 'short'";
      const [only, ...more] = (await listSnapshotResults(tx, { snapshotId, filter })).items;
      expect(more).toEqual([]);
      expect(only).toMatchObject({ metricKey: 'revenue', n: 300, isControl: false, absoluteReason: null });
      expect(only?.theta).not.toBeNull();
      const pages: number[] = [];
      for (let cursor: string | undefined | null; cursor !== null; ) {
        const page = await listSnapshotResults(tx, {
          snapshotId,
          limit: 10,
          ...(cursor === undefined ? {} : { cursor }),
        });
        pages.push(...page.items.map(({ position }) => position));
        cursor = page.nextCursor ?? null;
      }
      expect(pages).toEqual(all.items.map(({ position }) => position));
      const byP = await listSnapshotResults(tx, {
        snapshotId,
        filter: 'adjusted_p IS NOT NULL',
        orderBy: 'adjusted_p',
      });
      const ps = byP.items.map(({ adjustedP }) => adjustedP ?? -1);
      expect(ps).toEqual(ps.toSorted((a, b) => a - b));
    });
  });
});

describe('a snapshot that is computed again', () => {
  it('is the same to the last bit from its stored input', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      for (const days of [0, 1, 3]) {
        const snapshotId = await snapshotOf(tx, experimentId, someUnits(definition, days));
        expect(await verifySnapshot(tx, { snapshotId })).toEqual({
          ...{ isIntact: true, isSameFromInput: true, isSameCode: true, isSameFromData: null },
        });
      }
    });
  });

  it('tells rows that were changed by hand, by who owns the table', async () => {
    const tenant = freshTenant();
    const snapshotId = await experiments.run(tenant, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      return await snapshotOf(tx, experimentId, someUnits(definition, 1));
    });
    const owner = postgres(experiments.ownerUrl, { max: 1, onnotice: () => {} });
    try {
      await owner.unsafe(
        `set app.tenant = '${tenant}'; update ab_snapshot_results set absolute_p = absolute_p * 1.0000000000000002 where absolute_p is not null`,
      );
    } finally {
      await owner.end();
    }
    const found = await experiments.run(tenant, (tx) => verifySnapshot(tx, { snapshotId }));
    expect(found).toMatchObject({ isIntact: false, isSameFromInput: true });
  });
});

describe('the difference of two snapshots', () => {
  const reasons = async (
    change: (given: Awaited<ReturnType<typeof startedExperiment>>) => {
      readonly before: Parameters<typeof snapshotOf>[3] & { readonly days: number };
      readonly after: Parameters<typeof snapshotOf>[3] & { readonly days: number };
      readonly between?: string;
    },
  ) =>
    await experiments.run(freshTenant(), async (tx) => {
      const started = await startedExperiment(tx);
      const { before, after, between } = change(started);
      const take = ({ days, ...given }: typeof before) =>
        snapshotOf(tx, started.experimentId, someUnits(started.definition, days), given);
      const from = await take(before);
      if (between !== undefined) await tx.execute(sql.raw(between));
      const to = await take(after);
      return await compareSnapshots(tx, { from, to });
    });

  it('is none of the same data, also as of another time', async () => {
    const found = await reasons(() => ({ before: { days: 2, asOf: at(3) }, after: { days: 2, asOf: at(4) } }));
    expect(found).toEqual({ isSame: true, differences: [] });
  });

  it('is new data where the bound moved and earlier days are the same', async () => {
    const { isSame, differences } = await reasons(() => ({
      before: { days: 2, asOf: at(3) },
      after: { days: 4, asOf: at(5) },
    }));
    expect(isSame).toBe(false);
    expect(differences.map(({ because }) => because)).toEqual(['new_data']);
    expect(differences[0]?.text).toContain('units 400 to 800');
  });

  it('is late data where days that had ended have other units, or one bound has other data', async () => {
    const both = await reasons(({ definition }) => ({
      before: { days: 2, asOf: at(3) },
      after: {
        ...{ days: 3, asOf: at(4) },
        daily: inputOf(definition, someUnits(definition, 3)).daily.map((row) => ({ ...row, units: row.units + 1 })),
      },
    }));
    expect(both.differences.map(({ because }) => because)).toEqual(['new_data', 'late_data']);
    expect(both.differences[1]?.text).toContain('2026-05-01, 2026-05-02');
    expect(both.differences[1]?.text).toMatch(/2026-05-02\.$/);
    const same = await reasons(() => ({
      before: { days: 2, asOf: at(9) },
      after: { days: 2, asOf: at(9), outcomes: 9 },
    }));
    expect(same.differences.map(({ because }) => because)).toEqual(['late_data']);
  });

  it('is the definition, by the names of what changed', async () => {
    const { differences } = await reasons(() => ({
      before: { days: 2, asOf: at(3) },
      after: { days: 2, asOf: at(3) },
      between: `
        with metric as (update ab_metrics set direction = 'decrease' where key = 'bought')
        update ab_experiments set alpha = 0.01, revision = 2`,
    }));
    expect(differences).toEqual([
      { because: 'definition', text: 'Of the definition, revision 1 to 2, changed: alpha, metric bought.' },
    ]);
  });

  it('is refused of two experiments', async () => {
    await experiments.run(freshTenant(), async (tx) => {
      const [one, two] = [await startedExperiment(tx), await startedExperiment(tx, { key: 'other' })];
      const from = await snapshotOf(tx, one.experimentId, []);
      const to = await snapshotOf(tx, two.experimentId, []);
      expect(await failureOf(compareSnapshots(tx, { from, to }))).toMatchObject({ code: 'invalid_input' });
    });
  });
});

describe('the official snapshot', () => {
  it('is the one that was pinned last, until it is unpinned, with a history and events', async () => {
    const tenant = freshTenant();
    await experiments.run(
      tenant,
      async (tx) => {
        const { experimentId, definition } = await startedExperiment(tx);
        const first = await snapshotOf(tx, experimentId, someUnits(definition, 1));
        const second = await snapshotOf(tx, experimentId, someUnits(definition, 2));
        expect(await findOfficialSnapshot(tx, { experimentId })).toBeUndefined();
        await pinSnapshot(tx, { snapshotId: second, reason: 'agreed' });
        await pinSnapshot(tx, { snapshotId: second });
        await pinSnapshot(tx, { snapshotId: first });
        expect(await findOfficialSnapshot(tx, { experimentId })).toMatchObject({ id: first, number: 1 });
        expect(await unpinSnapshot(tx, { experimentId, reason: 'wrong' })).toMatchObject({ snapshotId: null });
        expect(await unpinSnapshot(tx, { experimentId })).toBeUndefined();
        expect(await findOfficialSnapshot(tx, { experimentId })).toBeUndefined();
        const { items } = await listSnapshotPins(tx, { experimentId });
        expect(
          items.map(({ changeNumber, snapshotId, reason, actor }) => [changeNumber, snapshotId, reason, actor]),
        ).toEqual([
          [3, null, 'wrong', 'ada'],
          [2, first, null, 'ada'],
          [1, second, 'agreed', 'ada'],
        ]);
        const events = await tx.execute<{ topic: string }>(
          sql`select topic from outbox_events where topic like '%pinned' order by id`,
        );
        expect(events.map(({ topic }) => topic)).toEqual([
          'experiment.snapshot_pinned',
          'experiment.snapshot_pinned',
          'experiment.snapshot_unpinned',
        ]);
      },
      { actor: 'ada' },
    );
  });

  it('is one where two are pinned at once', async () => {
    const tenant = freshTenant();
    const { experimentId, ids } = await experiments.run(tenant, async (tx) => {
      const { experimentId: id, definition } = await startedExperiment(tx);
      const found: string[] = [];
      for (const days of [1, 2, 3]) found.push(await snapshotOf(tx, id, someUnits(definition, days)));
      return { experimentId: id, ids: found };
    });
    await Promise.all(ids.map((snapshotId) => experiments.run(tenant, (tx) => pinSnapshot(tx, { snapshotId }))));
    const { items } = await experiments.run(tenant, (tx) => listSnapshotPins(tx, { experimentId }));
    expect(items.map(({ changeNumber }) => changeNumber)).toEqual([3, 2, 1]);
  });
});
