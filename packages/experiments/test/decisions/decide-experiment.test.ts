import type { TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import {
  decide,
  decideExperiment,
  getSnapshot,
  listExperimentDecisions,
  transitionExperiment,
  updateExperiment,
} from '../../src/index.ts';
import { snapshotOf, someUnits, startedExperiment } from '../support/analysed-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const primary = [{ key: 'revenue', role: 'primary', kind: 'mean' }] as const;
const started = (tx: TenantTx, given: Parameters<typeof startedExperiment>[1] = {}) =>
  startedExperiment(tx, { metrics: [...primary], ...given });

it('keeps what the rules say of the last snapshot, with an event in the same transaction', async () => {
  await experiments.run(
    freshTenant(),
    async (tx) => {
      const { experimentId, definition } = await started(tx);
      await snapshotOf(tx, experimentId, someUnits(definition, 1));
      const snapshotId = await snapshotOf(tx, experimentId, someUnits(definition, 20));
      const decision = await decideExperiment(tx, { key: 'checkout', note: 'the weekly look' });
      const snapshot = await getSnapshot(tx, { snapshotId });
      const said = decide(snapshot.definition, snapshot.analysis, { looks: 2 });
      expect(said.verdict).toBe('ship');
      expect(decision).toMatchObject({
        ...{ experimentId, experimentKey: 'checkout', snapshotId, snapshotNumber: 2, looks: 2, isOver: false },
        ...{ verdict: 'ship', variantId: said.variantId, variantKey: 'short', actor: 'ada', note: 'the weekly look' },
        ...{ reasons: said.reasons, treatments: said.treatments, codeVersion: 1 },
      });
      const events = await tx.execute<{ topic: string; payload: Record<string, unknown> }>(
        sql`select topic, payload from outbox_events where topic = 'experiment.decided'`,
      );
      expect([...events]).toMatchObject([
        {
          payload: {
            key: 'checkout',
            decisionId: decision.id,
            verdict: 'ship',
            variantKey: 'short',
            snapshotNumber: 2,
          },
        },
      ]);
    },
    { actor: 'ada' },
  );
});

it('does not read a fixed test again under rules that were made after the look', async () => {
  await experiments.run(freshTenant(), async (tx) => {
    const metrics = [
      { key: 'revenue', role: 'secondary', kind: 'mean' },
      { key: 'bought', role: 'primary', kind: 'proportion' },
    ] as const;
    const { experimentId, definition } = await started(tx, {
      test: 'fixed',
      plannedUnits: 2_000,
      metrics: [...metrics],
    });
    await snapshotOf(tx, experimentId, someUnits(definition, 12));
    expect(await decideExperiment(tx, { experimentId })).toMatchObject({ looks: 1, verdict: 'keep' });
    const [revenue, bought] = metrics;
    await updateExperiment(tx, {
      experimentId,
      metrics: [
        { ...revenue, role: 'primary' },
        { ...bought, role: 'secondary' },
      ],
    });
    await snapshotOf(tx, experimentId, someUnits(definition, 12));
    expect(await decideExperiment(tx, { experimentId })).toMatchObject({
      ...{ looks: 2, verdict: 'continue' },
      reasons: [{ because: 'looked_at_again' }],
    });
  });
});

it('reads a fixed test by its one look alone, and counts the looks of all snapshots', async () => {
  await experiments.run(freshTenant(), async (tx) => {
    const { experimentId, definition } = await started(tx, { test: 'fixed', plannedUnits: 2_000 });
    const first = await snapshotOf(tx, experimentId, someUnits(definition, 12));
    await snapshotOf(tx, experimentId, someUnits(definition, 12));
    expect(await decideExperiment(tx, { experimentId })).toMatchObject({ looks: 1, verdict: 'ship' });
    await snapshotOf(tx, experimentId, someUnits(definition, 13));
    for (const snapshotId of [undefined, first]) {
      const again = await decideExperiment(tx, { experimentId, snapshotId });
      expect(again).toMatchObject({ looks: 2, verdict: 'continue', variantId: null });
      expect(again.reasons.map(({ because }) => because)).toEqual(['looked_at_again']);
    }
  });
});

it('keeps the control of an experiment that was stopped without a difference', async () => {
  await experiments.run(freshTenant(), async (tx) => {
    const { experimentId, definition } = await started(tx);
    await snapshotOf(tx, experimentId, someUnits(definition, 3, 0));
    expect(await decideExperiment(tx, { experimentId })).toMatchObject({ verdict: 'continue' });
    await transitionExperiment(tx, { experimentId, status: 'stopped' });
    expect(await decideExperiment(tx, { experimentId })).toMatchObject({ verdict: 'keep', isOver: true });
  });
});

it('has no decision without a snapshot, and none by a snapshot of another experiment', async () => {
  await experiments.run(freshTenant(), async (tx) => {
    const one = await started(tx);
    const two = await started(tx, { key: 'other' });
    expect(await failureOf(decideExperiment(tx, { key: 'checkout' }))).toMatchObject({ code: 'failed_precondition' });
    const snapshotId = await snapshotOf(tx, two.experimentId, []);
    await snapshotOf(tx, one.experimentId, []);
    const failure = await failureOf(decideExperiment(tx, { experimentId: one.experimentId, snapshotId }));
    expect(failure).toMatchObject({ code: 'not_found' });
    expect(await failureOf(decideExperiment(tx, { key: 'nobodys' }))).toMatchObject({ code: 'not_found' });
  });
});

it('lists decisions by pages and filters, the last first', async () => {
  await experiments.run(freshTenant(), async (tx) => {
    const { experimentId, definition } = await started(tx);
    await snapshotOf(tx, experimentId, someUnits(definition, 1, 0));
    for (let i = 0; i < 3; i++) await decideExperiment(tx, { experimentId, note: `no ${i}` });
    const page = await listExperimentDecisions(tx, { limit: 2, filter: `experiment_id = '${experimentId}'` });
    expect(page.items.map(({ note }) => note)).toEqual(['no 2', 'no 1']);
    const rest = await listExperimentDecisions(tx, {
      ...{ limit: 2, filter: `experiment_id = '${experimentId}'`, cursor: page.nextCursor },
    });
    expect(rest.items.map(({ note }) => note)).toEqual(['no 0']);
    expect((await listExperimentDecisions(tx, { filter: "verdict = 'ship'" })).items).toEqual([]);
  });
});
