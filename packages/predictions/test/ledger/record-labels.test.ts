import { newId } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  getLabelHistory,
  type LabelInput,
  listLabels,
  listPredictions,
  PREDICTION_LIMITS,
  recordLabels,
  recordPredictions,
} from '../../src/index.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const database = usePredictions();

const now = new Date('2026-05-04T10:20:30.456Z');
const day = (n: number) => new Date(Date.UTC(2026, 3, n));

async function tenantWithVersion(): Promise<string> {
  const tenant = freshTenant();
  await database.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
  return tenant;
}

const label = (tenant: string, ...labels: readonly LabelInput[]) =>
  database.run(tenant, (tx) => recordLabels(tx, { name: 'churn', labels }), { now, actor: 'ada' });
const historyOf = (tenant: string, subject = 's') =>
  database.run(tenant, (tx) => getLabelHistory(tx, { name: 'churn', subject }));
/** Classes in the order of observation, the one that holds first. */
const classesOf = async (tenant: string) => {
  const { current, replaced } = await historyOf(tenant);
  expect(current.revision).toBe(replaced.length + 1);
  return [current.label, ...replaced.map((row) => row.label)];
};
const none = { recorded: 0, corrected: 0, superseded: 0, repeated: 0 };

describe('recordLabels', () => {
  it('keeps a class or a number of a subject, with who recorded it and when it was observed', async () => {
    const tenant = await tenantWithVersion();
    const outcome = await label(
      tenant,
      { subject: 's', label: 'leaves', observedAt: day(1) },
      { subject: 't', value: 0.1 },
    );
    expect(outcome).toMatchObject({ ...none, recorded: 2 });
    expect(await historyOf(tenant)).toMatchObject({
      current: {
        subject: 's',
        label: 'leaves',
        value: null,
        observedAt: day(1),
        revision: 1,
        actor: 'ada',
        recordedAt: now,
      },
      replaced: [],
    });
    expect((await historyOf(tenant, 't')).current).toMatchObject({ label: null, value: 0.1, observedAt: now });
  });

  it('holds for predictions that come before and after, of all versions of the model', async () => {
    const tenant = await tenantWithVersion();
    const rows = await database.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'churn' });
      await registerVersion(tx, { name: 'other' });
      const record = (reference: string) => recordPredictions(tx, { reference, predictions: [{ subject: 's' }] });
      await record('churn/1');
      await recordLabels(tx, { name: 'churn', labels: [{ subject: 's', label: 'x' }] });
      await record('churn/2');
      await record('other/1');
      return (await listPredictions(tx, { orderBy: 'id asc' })).items;
    });
    expect(rows.map(({ truth }) => truth?.label)).toEqual(['x', 'x', undefined]);
  });

  it('takes the id of a prediction for its subject, and no id of another model', async () => {
    const tenant = await tenantWithVersion();
    const id = newId(now);
    const other = newId(now);
    await database.run(
      tenant,
      async (tx) => {
        await registerVersion(tx, { name: 'other' });
        await recordPredictions(tx, { reference: 'churn/1', predictions: [{ id, subject: 's' }] });
        await recordPredictions(tx, { reference: 'other/1', predictions: [{ id: other }] });
      },
      { now },
    );
    expect(await label(tenant, { predictionId: id.toUpperCase(), label: 'x' })).toMatchObject({ recorded: 1 });
    expect((await historyOf(tenant)).current.label).toBe('x');
    for (const predictionId of [other, newId()]) {
      const error = await refusalOf(label(tenant, { subject: 't', label: 'x' }, { predictionId, label: 'x' }));
      expect(error).toMatchObject({ code: 'not_found', details: { field: 'labels[1].predictionId', index: 1 } });
    }
  });

  it('changes nothing when the same is sent again, with its time or without', async () => {
    const tenant = await tenantWithVersion();
    await label(tenant, { subject: 's', label: 'x', observedAt: day(1) }, { subject: 't', value: Number.NaN });
    const before = await historyOf(tenant);
    const again = await label(
      tenant,
      { subject: 's', label: 'x', observedAt: day(1) },
      { subject: 's', label: 'x' },
      { subject: 't', value: Number.NaN },
    );
    expect(again).toMatchObject({ ...none, repeated: 3 });
    expect(await historyOf(tenant)).toEqual(before);
  });

  it('lets the later observation hold, in whichever order they come, in one call or in several', async () => {
    const observations = [1, 2, 3].map((n) => ({ subject: 's', label: `class ${n}`, observedAt: day(n) }));
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (const order of orders) {
      const given = order.flatMap((n) => observations[n] ?? []);
      const [several, one] = [await tenantWithVersion(), await tenantWithVersion()];
      for (const observation of given) await label(several, observation);
      await label(one, ...given);
      expect(await classesOf(several)).toEqual(['class 3', 'class 2', 'class 1']);
      expect(await classesOf(one)).toEqual(['class 3', 'class 2', 'class 1']);
      expect(await label(several, ...given)).toMatchObject({ ...none, repeated: 3 });
    }
  });

  it('says how many were recorded, corrected, superseded and repeated', async () => {
    const tenant = await tenantWithVersion();
    await label(
      tenant,
      { subject: 'a', label: 'x', observedAt: day(5) },
      { subject: 'b', label: 'x', observedAt: day(5) },
    );
    const outcome = await label(
      tenant,
      { subject: 'a', label: 'y', observedAt: day(6) },
      { subject: 'a', label: 'w', observedAt: day(4) },
      { subject: 'b', label: 'w', observedAt: day(4) },
      { subject: 'b', label: 'x', observedAt: day(5) },
      { subject: 'c', label: 'x', observedAt: day(5) },
      { subject: 'c', label: 'w', observedAt: day(4) },
    );
    expect(outcome).toMatchObject({ recorded: 1, corrected: 1, superseded: 3, repeated: 1 });
  });

  it('refuses two truths observed at the same time, naming the index, and stores nothing', async () => {
    const tenant = await tenantWithVersion();
    await label(
      tenant,
      { subject: 's', label: 'x', observedAt: day(1) },
      { subject: 's', label: 'y', observedAt: day(2) },
    );
    const wrong: readonly (readonly LabelInput[])[] = [
      [{ subject: 's', label: 'z', observedAt: day(1) }],
      [{ subject: 's', label: 'z', observedAt: day(2) }],
      [{ subject: 's', value: 1, observedAt: day(2) }],
      [
        { subject: 'u', label: 'x', observedAt: day(2) },
        { subject: 'u', label: 'y', observedAt: day(2) },
      ],
    ];
    for (const labels of wrong) {
      const index = labels.length;
      const error = await refusalOf(label(tenant, { subject: 'new', label: 'x' }, ...labels));
      expect(error).toMatchObject({ code: 'conflict', details: { field: `labels[${index}]`, index } });
    }
    expect((await database.run(tenant, (tx) => listLabels(tx, { name: 'churn' }))).items).toHaveLength(1);
  });

  it.each([
    ['labels[1]', { label: 'x' }],
    ['labels[1]', { subject: 's', predictionId: newId(), label: 'x' }],
    ['labels[1]', { subject: 's' }],
    ['labels[1]', { subject: 's', label: 'x', value: 1 }],
    ['labels[1].subject', { subject: '', label: 'x' }],
    ['labels[1].label', { subject: 's', label: 'x'.repeat(PREDICTION_LIMITS.labelLength + 1) }],
    ['labels[1].observedAt', { subject: 's', label: 'x', observedAt: new Date('1999-12-31T23:59:59.999Z') }],
    ['labels[1].observedAt', { subject: 's', label: 'x', observedAt: new Date('2100-01-01Z') }],
    [
      'labels[1].observedAt',
      { subject: 's', label: 'x', observedAt: new Date(now.getTime() + PREDICTION_LIMITS.aheadMs + 1) },
    ],
  ])('refuses %s of %j', async (field, wrong) => {
    const tenant = await tenantWithVersion();
    const error = await refusalOf(label(tenant, { subject: 't', label: 'x' }, wrong));
    expect(error).toMatchObject({ code: 'invalid_input', details: { field } });
  });

  it('refuses a model that is not there, and takes one whose versions were inserted by hand', async () => {
    const tenant = freshTenant();
    expect(await refusalOf(label(tenant, { subject: 's', label: 'x' }))).toMatchObject({ code: 'not_found' });
    await database.run(tenant, (tx) =>
      tx.execute(sql`insert into model_registry (name, version) values ('churn', '1')`),
    );
    expect(await label(tenant, { subject: 's', label: 'x' })).toMatchObject({ recorded: 1 });
  });

  it('converges when two corrections come at once, whichever waits for the other', async () => {
    for (const order of [
      [2, 3],
      [3, 2],
    ]) {
      const tenant = await tenantWithVersion();
      await label(tenant, { subject: 's', label: 'class 1', observedAt: day(1) });
      const [first = 0, second = 0] = order;
      const held = barrier();
      const done = barrier();
      const one = database.run(tenant, async (tx) => {
        const labels = [{ subject: 's', label: `class ${first}`, observedAt: day(first) }];
        await recordLabels(tx, { name: 'churn', labels });
        held.open();
        await done.passed;
      });
      await held.passed;
      const other = label(tenant, { subject: 's', label: `class ${second}`, observedAt: day(second) });
      await waitUntilWaiting();
      done.open();
      await Promise.all([one, other]);
      expect(await classesOf(tenant)).toEqual(['class 3', 'class 2', 'class 1']);
    }
  });

  it('converges when the first two labels of a subject come at once', async () => {
    const tenant = await tenantWithVersion();
    await Promise.all(
      [1, 2, 3, 4].map((n) => label(tenant, { subject: 's', label: `class ${n}`, observedAt: day(n) })),
    );
    expect(await classesOf(tenant)).toEqual(['class 4', 'class 3', 'class 2', 'class 1']);
  });

  it('never runs into a deadlock, whatever the order of subjects, and portions of several calls', async () => {
    const tenant = await tenantWithVersion();
    const subjects = Array.from({ length: 6_000 }, (_, n) => `s${n}`);
    await label(
      tenant,
      ...subjects.slice(1_500, 4_500).map((subject) => ({ subject, label: 'x', observedAt: day(1) })),
    );
    const outcomes = await Promise.all(
      [subjects, subjects.toReversed(), subjects.slice(500), subjects.slice(0, 5_500).toReversed()].map((given, n) =>
        label(tenant, ...given.map((subject) => ({ subject, label: `x${n}`, observedAt: day(2 + n) }))),
      ),
    );
    expect(outcomes.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(3_000);
    const [row] = await database.run(tenant, (tx) =>
      tx.execute(sql`
        select (select count(*) from prediction_labels)::int as labels,
               (select sum(revision) from prediction_labels)::int
               - (select count(*) from prediction_label_history)::int as held`),
    );
    expect(row).toEqual({ labels: 6_000, held: 6_000 });
  });

  async function waitUntilWaiting(): Promise<void> {
    for (;;) {
      const [row] = await database.run(freshTenant(), (tx) =>
        tx.execute<{ waiting: boolean }>(sql`
          select exists (select from pg_locks where not granted) as waiting`),
      );
      if (row?.waiting === true) return;
    }
  }
});

describe('listLabels', () => {
  it('gives the labels of a model by pages, filtered and ordered', async () => {
    const tenant = await tenantWithVersion();
    await label(tenant, ...[3, 1, 2, 5, 4].map((n) => ({ subject: `s${n}`, value: n, observedAt: day(n) })));
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await database.run(tenant, (tx) =>
        listLabels(tx, { name: 'churn', limit: 2, filter: 'value > 1', ...(cursor === undefined ? {} : { cursor }) }),
      );
      seen.push(...page.items.map(({ subject }) => subject));
      if (page.nextCursor === undefined) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['s5', 's4', 's3', 's2']);
    expect((await database.run(tenant, (tx) => listLabels(tx, { name: 'nobodys' }))).items).toEqual([]);
  });
});

describe('getLabelHistory', () => {
  it('throws not_found for a subject without a label', async () => {
    expect(await refusalOf(historyOf(await tenantWithVersion()))).toMatchObject({ code: 'not_found' });
  });
});
