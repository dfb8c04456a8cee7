import { setTimeout as pause } from 'node:timers/promises';
import { connect, newId, withTenant } from '@mcp-hub/db-core';
import { setAlias } from '@mcp-hub/registry';
import { barrier } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { createPredictionWriter, PREDICTION_LIMITS, recordPredictions } from '../../src/index.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';
import { openWriter, storedRows, subjectsOf, testTimer, writerTenant } from '../support/writer-world.ts';

const predictions = usePredictions();
const churn = { name: 'churn', version: '1' };
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('record', () => {
  it('resolves when the prediction is committed, with its id and version', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant);
    const written = await writer.record({ ...churn, subject: 'a', score: Number.NaN, output: { p: [0.5] } });
    const [row] = await storedRows(predictions.db, tenant);
    expect(row).toMatchObject({ id: written.id, subject: 'a', version: '1', score: Number.NaN, output: { p: [0.5] } });
    expect(written.versionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await writer.close()).toEqual([]);
  });

  it('writes what 8 producers give, each once, several in a transaction', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer, rejected } = openWriter(predictions.db, tenant);
    const producer = async (who: number) => {
      for (const n of numbers(50)) {
        const { id } = await writer.record({ ...churn, subject: `${who}-${n}`, features: { n, who: `${who}` } });
        expect(id).toMatch(/^[0-9a-f-]{36}$/);
      }
    };
    await Promise.all(numbers(8).map(producer));
    const subjects = await subjectsOf(predictions.db, tenant);
    expect(subjects.toSorted()).toEqual(
      numbers(8)
        .flatMap((who) => numbers(50).map((n) => `${who}-${n}`))
        .toSorted(),
    );
    const transactions = await predictions.run(tenant, (tx) =>
      tx.execute<{ count: number }>('select count(distinct xmin::text)::int from predictions'),
    );
    expect(transactions[0]?.count).toBeLessThan(200);
    expect(rejected).toEqual([]);
  });

  it('gives one that the ledger refuses its error, and writes the others of its batch', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer, rejected } = openWriter(predictions.db, tenant);
    await writer.record({ ...churn, features: { age: 1 } });
    const taken = newId();
    await writer.record({ ...churn, id: taken, subject: 'first' });
    const outcomes = await Promise.allSettled([
      writer.record({ ...churn, subject: 'good 1', features: { age: 2 } }),
      writer.record({ ...churn, subject: 'bad kind', features: { age: 'old' } }),
      writer.record({ ...churn, subject: 'good 2' }),
      writer.record({ ...churn, id: taken, subject: 'another' }),
      writer.record({ name: 'churn', version: '9', subject: 'no version' }),
      writer.record({ name: 'churn', version: '2', subject: 'good 3' }),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'written' : outcome.reason.code))).toEqual([
      'written',
      'invalid_input',
      'written',
      'conflict',
      'not_found',
      'written',
    ]);
    const [, badKind] = outcomes;
    expect(badKind).toMatchObject({
      reason: { message: expect.stringMatching(/^features has a category/), details: { field: 'features' } },
    });
    expect(await subjectsOf(predictions.db, tenant)).toEqual(expect.arrayContaining(['good 1', 'good 2', 'good 3']));
    expect(await storedRows(predictions.db, tenant)).toHaveLength(5);
    expect(rejected).toEqual([]);
  });

  it('stops waiting at the signal; what was taken is written all the same', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant);
    const stop = new AbortController();
    const pending = writer.record({ ...churn, subject: 'left' }, { signal: stop.signal });
    stop.abort(new Error('The client has gone.'));
    await expect(pending).rejects.toThrow('The client has gone.');
    await expect(writer.record({ ...churn }, { signal: stop.signal })).rejects.toThrow('The client has gone.');
    await writer.flush();
    expect(await subjectsOf(predictions.db, tenant)).toEqual(['left']);
  });
});

describe('enqueue', () => {
  it('waits for the time', async () => {
    const tenant = await writerTenant(predictions.db);
    const timer = testTimer();
    const { writer } = openWriter(predictions.db, tenant, { after: timer.after, flushMs: 700 });
    const id = await writer.enqueue({ ...churn, subject: 'a' });
    await writer.enqueue({ ...churn, subject: 'b' });
    expect(timer.waits()).toEqual([700]);
    expect(writer.backlog().rows).toBe(2);
    timer.fire();
    await expect.poll(() => writer.backlog().rows).toBe(0);
    expect(await storedRows(predictions.db, tenant)).toMatchObject([{ id, subject: 'a' }, { subject: 'b' }]);
    expect(writer.backlog()).toEqual({ rows: 0, bytes: 0 });
    expect(timer.waits()).toEqual([]);
  });

  it('writes without the time when there are enough, by rows or by bytes', async () => {
    for (const bounds of [{ flushRows: 3 }, { flushBytes: 3_000 }]) {
      const tenant = await writerTenant(predictions.db);
      const timer = testTimer();
      const { writer } = openWriter(predictions.db, tenant, { after: timer.after, ...bounds });
      const output = 'x'.repeat(700);
      await writer.enqueue({ ...churn, output });
      await writer.enqueue({ ...churn, output });
      expect(timer.waits()).toEqual([100]);
      await writer.enqueue({ ...churn, output });
      await expect.poll(() => writer.backlog().rows).toBeLessThan(3);
      await writer.flush();
      expect(await storedRows(predictions.db, tenant)).toHaveLength(3);
    }
  });

  it('waits for room, in the order of the calls, and never holds more than its bounds', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant, { maxRows: 5, flushRows: 2 });
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      numbers(40).map(async (n) => {
        await writer.enqueue({ ...churn, subject: `s${n}` });
        order.push(n);
        most = Math.max(most, writer.backlog().rows);
      }),
    );
    expect(order).toEqual(numbers(40));
    expect(most).toBe(5);
    await writer.flush();
    expect((await subjectsOf(predictions.db, tenant)).toSorted()).toEqual(
      numbers(40)
        .map((n) => `s${n}`)
        .toSorted(),
    );
  });

  it('takes one that is larger than the bound, alone', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant, { maxBytes: 1_000 });
    await Promise.all([
      writer.enqueue({ ...churn, subject: 'small' }),
      writer.enqueue({ ...churn, subject: 'large', output: 'x'.repeat(5_000) }),
      writer.enqueue({ ...churn, subject: 'small too' }),
    ]);
    await writer.flush();
    expect(await storedRows(predictions.db, tenant)).toHaveLength(3);
  });

  it('leaves the queue at the signal where it waits for room', async () => {
    const tenant = await writerTenant(predictions.db);
    const held = barrier();
    const pool = await connect({ url: predictions.serviceUrl, max: 1 });
    const hold = withTenant(pool, tenant, () => held.passed);
    const { writer } = openWriter(pool, tenant, { maxRows: 1 });
    await writer.enqueue({ ...churn, subject: 'first' });
    const stop = new AbortController();
    const waiting = writer.enqueue({ ...churn, subject: 'left' }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    held.open();
    await hold;
    await writer.flush();
    expect(await subjectsOf(predictions.db, tenant)).toEqual(['first']);
    await pool.close();
  });

  it('refuses at once what can be told without the ledger, and says which field', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer, rejected } = openWriter(predictions.db, tenant);
    const long = 'x'.repeat(PREDICTION_LIMITS.subjectLength + 1);
    expect(await refusalOf(writer.enqueue({ ...churn, subject: long }))).toMatchObject({
      code: 'invalid_input',
      details: { field: 'subject' },
    });
    expect(await refusalOf(writer.enqueue({ ...churn, output: 1n }))).toMatchObject({ details: { field: 'output' } });
    const later = new Date(Date.now() + PREDICTION_LIMITS.aheadMs + 60_000);
    expect(await refusalOf(writer.enqueue({ ...churn, at: later }))).toMatchObject({ details: { field: 'at' } });
    expect(await refusalOf(writer.enqueue({ name: 'churn' }))).toMatchObject({ code: 'invalid_input' });
    expect(await refusalOf(writer.enqueue(null as never))).toMatchObject({ code: 'invalid_input' });
    // @ts-expect-error -- No such field.
    expect(await refusalOf(writer.enqueue({ ...churn, socre: 1 }))).toMatchObject({ code: 'invalid_input' });
    expect(writer.backlog().rows).toBe(0);
    expect(rejected).toEqual([]);
  });

  it('refuses an alias or a stage, which may lead elsewhere when it is written', async () => {
    const tenant = await writerTenant(predictions.db);
    await predictions.run(tenant, (tx) => setAlias(tx, { name: 'churn', alias: 'champion', version: '1' }));
    const { writer } = openWriter(predictions.db, tenant);
    for (const reference of ['churn@champion', 'churn:production']) {
      expect(await refusalOf(writer.enqueue({ reference }))).toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('model/version'),
      });
    }
    await writer.enqueue({ reference: 'churn/2', subject: 'a' });
    await writer.flush();
    expect(await storedRows(predictions.db, tenant)).toMatchObject([{ version: '2' }]);
  });

  it('hands what the ledger refuses to onRejected, as it was given and with its id, and goes on where that throws', async () => {
    const tenant = await writerTenant(predictions.db);
    const handed: unknown[] = [];
    const writer = createPredictionWriter(predictions.db, tenant, {
      onRejected: (one) => {
        handed.push(one);
        throw new Error('a defect');
      },
    });
    await writer.enqueue({ ...churn, features: { age: 1 } });
    await writer.flush();
    const bad = { ...churn, subject: 'b', features: { age: 'x' }, output: { a: [1] }, experiment: 'e' };
    const ids = await Promise.all([
      writer.enqueue({ ...churn, subject: 'a' }),
      writer.enqueue(bad),
      writer.enqueue({ ...churn, subject: 'c' }),
    ]);
    await writer.flush();
    expect(handed).toMatchObject([{ prediction: { ...bad, id: ids[1] }, error: { code: 'invalid_input' } }]);
    expect(await storedRows(predictions.db, tenant)).toHaveLength(3);
  });

  it('writes what was given, whatever the caller does to its objects afterwards', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant);
    const features = { n: 1 };
    const output = { list: [1] };
    for (const n of [1, 2, 3]) {
      features.n = n;
      output.list.push(n);
      await writer.enqueue({ ...churn, subject: `${n}`, features, output });
    }
    await writer.flush();
    const rows = await predictions.run(tenant, (tx) =>
      tx.execute<{ n: number; length: number }>(
        "select numbers[1] as n, jsonb_array_length(output::jsonb -> 'list') as length from predictions order by subject",
      ),
    );
    expect([...rows]).toEqual([
      { n: 1, length: 2 },
      { n: 2, length: 3 },
      { n: 3, length: 4 },
    ]);
  });

  it('finds rows that the database refuses without naming them, by halves', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer, rejected } = openWriter(predictions.db, tenant);
    // What one of another release of the schema might refuse.
    const { default: postgres } = await import('postgres');
    const owner = postgres(predictions.ownerUrl, { max: 1, onnotice: () => {} });
    await owner`alter table predictions add constraint no_odd check (subject not like 'odd%')`;
    for (const n of numbers(60)) await writer.enqueue({ ...churn, subject: n % 20 === 7 ? `odd ${n}` : `even ${n}` });
    await writer.flush();
    await owner`alter table predictions drop constraint no_odd`;
    await owner.end();
    expect(rejected.map(({ prediction }) => prediction.subject)).toEqual(['odd 7', 'odd 27', 'odd 47']);
    for (const { error } of rejected) expect(error).toMatchObject({ code: 'invalid_input' });
    expect(await storedRows(predictions.db, tenant)).toHaveLength(57);
  });
});

describe('createPredictionWriter', () => {
  it('takes the time of the prediction and of the ledger from now', async () => {
    const tenant = await writerTenant(predictions.db);
    const now = new Date('2031-02-03T04:05:06.789Z');
    const { writer } = openWriter(predictions.db, tenant, { now: () => now });
    await writer.record({ ...churn });
    const [row] = await predictions.run(tenant, (tx) =>
      tx.execute<{ at: string }>(
        "select to_char(predicted_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') as at from predictions",
      ),
    );
    expect(row?.at).toBe('2031-02-03 04:05:06.789');
  });

  it('writes outside of the transaction that a caller is in, and of its tenant', async () => {
    const [tenant, other] = [await writerTenant(predictions.db), await writerTenant(predictions.db)];
    const { writer } = openWriter(predictions.db, other);
    const failed = predictions.run(tenant, async (tx) => {
      await recordPredictions(tx, { ...churn, predictions: [{}] });
      await writer.record({ ...churn, subject: 'kept' });
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    expect(await subjectsOf(predictions.db, other)).toEqual(['kept']);
    expect(await subjectsOf(predictions.db, tenant)).toEqual([]);
  });

  it('cannot tell another tenant’s version from none, nor an id that another tenant has recorded', async () => {
    const [owner, other] = [await writerTenant(predictions.db), await writerTenant(predictions.db)];
    const theirs = await openWriter(predictions.db, owner).writer.record({ ...churn, subject: 'theirs' });
    const { writer } = openWriter(predictions.db, other);
    const outcomes = [theirs.versionId, '01890000-0000-7000-8000-000000000000'].map((versionId) =>
      refusalOf(writer.record({ versionId })),
    );
    const [ofTheirs, ofNobody] = await Promise.all(outcomes);
    expect(ofTheirs).toMatchObject({ code: 'not_found', message: ofNobody?.message, details: ofNobody?.details });
    const ours = await writer.record({ ...churn, id: theirs.id, subject: 'ours' });
    expect(ours.id).toBe(theirs.id);
    expect(await subjectsOf(predictions.db, other)).toEqual(['ours']);
    expect(await subjectsOf(predictions.db, owner)).toEqual(['theirs']);
  });

  it('lets no tenant’s backlog keep another waiting', async () => {
    const pool = await connect({ url: predictions.serviceUrl, max: 1 });
    const [many, few] = [await writerTenant(predictions.db), await writerTenant(predictions.db)];
    const crowd = numbers(6).map(() => openWriter(pool, many, { maxRows: 20_000, flushRows: 100 }).writer);
    for (const writer of crowd) for (const n of numbers(1_000)) await writer.enqueue({ ...churn, subject: `${n}` });
    const { writer } = openWriter(pool, few);
    await writer.record({ ...churn, subject: 'quick' });
    // Before it came at most one batch of each of the others, two of those under way.
    const left = crowd.reduce((sum, one) => sum + one.backlog().rows, 0);
    expect(left).toBeGreaterThan(3_000);
    await Promise.all(crowd.map((one) => one.close({ timeoutMs: 60_000 })));
    await pool.close();
  });

  it('lets no tenants that hold their own rows keep another waiting for long', async () => {
    const holders = await Promise.all(
      numbers(PREDICTION_LIMITS.writerFlights).map(async () => {
        const tenant = await writerTenant(predictions.db);
        await predictions.run(tenant, (tx) => recordPredictions(tx, { ...churn, predictions: [] }));
        return tenant;
      }),
    );
    const others = await connect({ url: predictions.serviceUrl, max: holders.length });
    const letGo = barrier();
    const held = holders.map(() => barrier());
    const holding = holders.map((tenant, n) =>
      withTenant(others, tenant, async (tx) => {
        await tx.execute('select 1 from prediction_ledgers for update');
        held[n]?.open();
        await letGo.passed;
      }),
    );
    await Promise.all(held.map(({ passed }) => passed));
    const stuck = holders.map((tenant) => openWriter(predictions.db, tenant).writer);
    const later = stuck.map((writer) => writer.record({ ...churn, subject: 'later' }));
    const { writer } = openWriter(predictions.db, await writerTenant(predictions.db));
    const quick = writer.record({ ...churn, subject: 'quick' });
    // Their locks are waited for a second.
    const inTime = await Promise.race([quick.then(() => true), pause(7_000, false)]);
    letGo.open();
    await Promise.all([...holding, ...later, quick]);
    await others.close();
    expect(inTime).toBe(true);
  });

  it('refuses options and tenants outside the limits', async () => {
    const open = (tenant: string, options: object) => () => openWriter(predictions.db, tenant, options);
    expect(open('a', { maxRows: 0 })).toThrow(/maxRows/);
    expect(open('a', { flushRows: PREDICTION_LIMITS.writerFlushRows + 1 })).toThrow(/flushRows/);
    expect(open('a', { onRejected: undefined })).toThrow(/onRejected/);
    expect(open('', {})).toThrow(/tenant/i);
  });
});
