import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import {
  iteratePredictions,
  listLabels,
  listLedgers,
  prunePredictions,
  recordLabels,
  recordPredictions,
} from '../../src/index.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const database = usePredictions();

const now = new Date('2026-05-10T12:00:00Z');
const day = (n: number) => new Date(Date.UTC(2026, 4, n));
const ever = new Date('2099-01-01Z');
const nothing = { predictions: 0, labels: 0, replacedLabels: 0, ledgers: 0, models: 0 };

/** Models a with versions 1 and 2, and b; a prediction and a label a day, May 1 to 5, each label corrected a day later. */
async function filled() {
  const tenant = freshTenant();
  const ids = await database.run(
    tenant,
    async (tx) => {
      const subjects = [1, 2, 3, 4, 5];
      const found: Record<string, string> = {};
      for (const name of ['a', 'a', 'b']) {
        const { id, version } = await registerVersion(tx, { name });
        const predictions = subjects.map((n) => ({ at: day(n), subject: `s${n}`, features: { n } }));
        await recordPredictions(tx, { versionId: id, predictions });
        found[`${name}/${version}`] = id;
      }
      for (const name of ['a', 'b']) {
        const labels = subjects.flatMap((n) => [
          { subject: `s${n}`, label: 'x', observedAt: day(n) },
          { subject: `s${n}`, label: 'y', observedAt: day(n + 1) },
        ]);
        found[name] = (await recordLabels(tx, { name, labels })).modelId;
      }
      return found;
    },
    { now },
  );
  const left = () =>
    database.run(tenant, async (tx) => {
      const times: string[] = [];
      for await (const { versionId, predictedAt } of iteratePredictions(tx, {})) {
        const [name = ''] = Object.entries(ids).find(([, id]) => id === versionId) ?? [];
        times.push(`${name} ${predictedAt.getUTCDate()}`);
      }
      return times.sort();
    });
  const labelsOf = async (name: string) =>
    (await database.run(tenant, (tx) => listLabels(tx, { name, orderBy: 'subject asc' }))).items.map(
      (row) => row.subject,
    );
  return { tenant, ids, left, labelsOf };
}

it('deletes predictions before a time in batches of any size, and nothing when it is run again', async () => {
  for (const batchSize of [1, 4, 100]) {
    const { tenant, left, labelsOf } = await filled();
    const rule = { predictionsBefore: day(4), batchSize };
    expect(await prunePredictions(database.db, tenant, rule)).toEqual({ ...nothing, predictions: 9 });
    expect(await left()).toEqual(['a/1 4', 'a/1 5', 'a/2 4', 'a/2 5', 'b/1 4', 'b/1 5']);
    expect(await labelsOf('a')).toHaveLength(5);
    expect(await prunePredictions(database.db, tenant, rule)).toEqual(nothing);
  }
});

it('deletes labels that were observed before a time, with their history', async () => {
  const { tenant, left, labelsOf } = await filled();
  const pruned = await prunePredictions(database.db, tenant, { labelsBefore: day(4) });
  expect(pruned).toEqual({ ...nothing, labels: 4, replacedLabels: 6 });
  expect(await labelsOf('a')).toEqual(['s3', 's4', 's5']);
  expect(await left()).toHaveLength(15);
});

it('takes all of a version, which can be erased then and not before', async () => {
  const { tenant, ids, left } = await filled();
  const erase = () => database.run(tenant, (tx) => deleteVersion(tx, { name: 'a', version: '1', permanently: true }));
  expect(await refusalOf(erase())).toMatchObject({ code: 'failed_precondition' });
  const versionId = ids['a/1'] ?? '';
  const pruned = await prunePredictions(database.db, tenant, {
    versionId,
    predictionsBefore: ever,
    labelsBefore: ever,
  });
  expect(pruned).toEqual({ ...nothing, predictions: 5, ledgers: 1 });
  await erase();
  expect(await left()).toHaveLength(10);
});

it('takes all of a model with its labels, also of one that is deleted', async () => {
  const { tenant, ids, left, labelsOf } = await filled();
  await database.run(tenant, (tx) => deleteVersion(tx, { name: 'a', version: '2' }));
  const modelId = ids['a'] ?? '';
  const pruned = await prunePredictions(database.db, tenant, { modelId, predictionsBefore: ever, labelsBefore: ever });
  expect(pruned).toEqual({ predictions: 10, labels: 5, replacedLabels: 5, ledgers: 2, models: 1 });
  expect(await left()).toHaveLength(5);
  expect(await labelsOf('b')).toHaveLength(5);
});

it('ends by its signal between transactions, and goes on where it ended', async () => {
  const { tenant, left } = await filled();
  const controller = new AbortController();
  let transactions = 0;
  const clock = () => {
    transactions += 1;
    if (transactions === 2) controller.abort();
    return now;
  };
  const rule = { predictionsBefore: ever, batchSize: 3 };
  const ended = await prunePredictions(database.db, tenant, rule, { signal: controller.signal, now: clock });
  expect(ended).toEqual({ ...nothing, predictions: 6 });
  expect(await prunePredictions(database.db, tenant, rule)).toMatchObject({ predictions: 9, ledgers: 3 });
  expect(await left()).toEqual([]);
});

it('keeps the ledger of a version in which somebody is just recording', async () => {
  const { tenant } = await filled();
  const [held, done] = [barrier(), barrier()];
  await database.run(tenant, (tx) => tx.execute(sql`delete from predictions`));
  const recording = database.run(
    tenant,
    async (tx) => {
      await recordPredictions(tx, { reference: 'a/1', predictions: [{ subject: 'late', features: { n: 7 } }] });
      held.open();
      await done.passed;
    },
    { now },
  );
  await held.passed;
  expect(await prunePredictions(database.db, tenant, {})).toMatchObject({ ledgers: 2 });
  done.open();
  await recording;
  const { items } = await database.run(tenant, (tx) => listLedgers(tx));
  expect(items.map(({ name, version, numberFeatures }) => [name, version, numberFeatures])).toEqual([
    ['a', '1', ['n']],
  ]);
});

it('does not lose predictions of versions whose ledgers are pruned and made again at the same time', async () => {
  const { tenant, left } = await filled();
  await database.run(tenant, (tx) => tx.execute(sql`delete from predictions`));
  const work: Promise<unknown>[] = [];
  for (let n = 0; n < 12; n += 1) {
    work.push(prunePredictions(database.db, tenant, {}));
    const predictions = [{ at: day(6), subject: `r${n}`, features: { [`f${n % 3}`]: n } }];
    work.push(
      database.run(tenant, (tx) => recordPredictions(tx, { reference: `a/${1 + (n % 2)}`, predictions }), { now }),
    );
  }
  await Promise.all(work);
  expect(await left()).toHaveLength(12);
  const features = await database.run(tenant, async (tx) => {
    const all: Record<string, unknown> = {};
    for await (const { subject, features: read } of iteratePredictions(tx, {})) all[subject] = read;
    return all;
  });
  expect(features).toEqual(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`r${n}`, { [`f${n % 3}`]: n }])));
});

it('makes a model again that is pruned while its next ledger is made', async () => {
  const { tenant } = await filled();
  await prunePredictions(database.db, tenant, { predictionsBefore: ever });
  const [held, done] = [barrier(), barrier()];
  const pruning = database.run(tenant, async (tx) => {
    await tx.execute(sql`delete from prediction_labels`);
    await tx.execute(sql`delete from prediction_label_history`);
    await tx.execute(sql`select from prediction_models for update`);
    held.open();
    await done.passed;
    await tx.execute(sql`delete from prediction_models`);
  });
  await held.passed;
  const predictions = [{ at: day(6), subject: 'next', features: { n: 1 } }];
  const recording = database.run(tenant, (tx) => recordPredictions(tx, { reference: 'a/1', predictions }), { now });
  await lockAwaited(tenant);
  done.open();
  await pruning;
  expect(await recording).toMatchObject({ recorded: 1 });
});

/** Resolves when somebody in this database waits for a lock. */
async function lockAwaited(tenant: string): Promise<void> {
  for (;;) {
    const [waiting] = await database.run(tenant, (tx) =>
      tx.execute<{ n: number }>(sql`
        select count(*)::int as n
          from pg_locks
         where not granted
           and pid in (select pid from pg_locks
                        where database = (select oid from pg_database where datname = current_database()))`),
    );
    if (waiting?.n !== 0) return;
  }
}

it('leaves subjects that can be labelled and corrected, also where it was ended half-way', async () => {
  const { tenant, labelsOf } = await filled();
  const stop = new AbortController();
  const clock = () => {
    stop.abort();
    return now;
  };
  const options = { signal: stop.signal, now: clock };
  await prunePredictions(database.db, tenant, { labelsBefore: day(20) }, options);
  const say = (label: string, n: number) =>
    database.run(
      tenant,
      (tx) => recordLabels(tx, { name: 'a', labels: [{ subject: 's1', label, observedAt: day(n) }] }),
      {
        now,
      },
    );
  await say('x', 1);
  await say('z', 7);
  expect(await prunePredictions(database.db, tenant, { labelsBefore: day(7) })).toMatchObject({
    ...{ labels: 0, replacedLabels: 10 },
  });
  expect(await labelsOf('a')).toEqual(['s1']);
});
