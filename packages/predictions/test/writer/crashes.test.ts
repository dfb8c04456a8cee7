import { connect, withTenant } from '@mcp-hub/db-core';
import { barrier, startOwnServer, startProgram } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { recordPredictions } from '../../src/index.ts';
import { startLossyProxy } from '../support/lossy-proxy.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';
import { openWriter, storedRows, subjectsOf, testTimer, writerTenant } from '../support/writer-world.ts';

const predictions = usePredictions();
const churn = { name: 'churn', version: '1' };
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

const startService = (tenant: string, environment: Readonly<Record<string, string>> = {}) =>
  startProgram({
    file: new URL('../programs/write-and-end.ts', import.meta.url),
    environment: { SERVICE_URL: predictions.serviceUrl, TENANT: tenant, ...environment },
  });

describe('a server that is killed in the middle of what 8 producers write', () => {
  it('has all that was acknowledged when it is back, and in the end everything, nothing twice', async () => {
    const server = await startOwnServer();
    try {
      const db = await connect({ url: server.serviceUrl, max: 8 });
      const tenant = await writerTenant(db);
      const { writer, rejected } = openWriter(db, tenant, { flushRows: 50 });
      const acknowledged = new Set<string>();
      const begun = barrier(400);
      const producer = async (who: number) => {
        for (const n of numbers(150)) {
          const subject = `${who}-${n}`;
          if (who % 2 === 0) {
            await writer.record({ ...churn, subject, features: { n } });
            acknowledged.add(subject);
          } else await writer.enqueue({ ...churn, subject, features: { n } });
          begun.arrive();
        }
      };
      const all = Promise.all(numbers(8).map(producer));
      await begun.passed;
      await server.kill();
      const atTheKill = [...acknowledged];
      expect(atTheKill.length).toBeLessThan(600);
      await server.restart();
      const there = new Set(await subjectsOf(db, tenant).catch(() => subjectsOf(db, tenant)));
      expect(atTheKill.filter((subject) => !there.has(subject))).toEqual([]);
      await all;
      await writer.flush();
      expect((await subjectsOf(db, tenant)).toSorted()).toEqual(
        numbers(8)
          .flatMap((who) => numbers(150).map((n) => `${who}-${n}`))
          .toSorted(),
      );
      expect(rejected).toEqual([]);
      await db.close();
    } finally {
      await server.remove();
    }
  }, 120_000);
});

describe('a database that is away', () => {
  it('costs nothing where the answers to commits are lost, and doubles nothing', async () => {
    const tenant = await writerTenant(predictions.db);
    const proxy = await startLossyProxy(predictions.serviceUrl);
    const db = await connect({ url: proxy.url, max: 2 });
    const { writer, rejected } = openWriter(db, tenant);
    for (const round of numbers(5)) {
      proxy.loseAnswers(2);
      await Promise.all(
        numbers(20).map((n) => writer.record({ ...churn, subject: `${round}-${n}`, features: { n }, output: { n } })),
      );
    }
    expect(proxy.lost()).toBe(10);
    expect(rejected).toEqual([]);
    const subjects = await subjectsOf(predictions.db, tenant);
    expect([subjects.length, new Set(subjects).size]).toEqual([100, 100]);
    await writer.close();
    await db.close();
    await proxy.close();
  });

  it('is asked again after pauses that double, with jitter, up to the longest', async () => {
    const tenant = await writerTenant(predictions.db);
    const proxy = await startLossyProxy(predictions.serviceUrl);
    const db = await connect({ url: proxy.url, max: 1 });
    await proxy.close();
    const timer = testTimer();
    const { writer } = openWriter(db, tenant, { after: timer.after, retryMs: 1_000, retryMaxMs: 5_000 });
    const pending = refusalOf(writer.record({ ...churn }));
    for (const longest of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      await expect.poll(() => timer.waits().length).toBe(1);
      const [ms = 0] = timer.waits();
      expect(ms).toBeGreaterThanOrEqual(longest / 2);
      expect(ms).toBeLessThanOrEqual(longest);
      timer.fire();
    }
    await expect.poll(() => timer.waits().length).toBe(1);
    // Closing tries once more and then gives up.
    const closing = writer.close({ timeoutMs: 77 });
    expect(timer.waits()).toContain(77);
    while (timer.waits().includes(77)) {
      if (timer.waits()[0] !== undefined) timer.fire();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await closing).toHaveLength(1);
    expect(await pending).toMatchObject({ code: 'unavailable' });
    await db.close();
  });

  it('makes a pool that others have exhausted something to wait for', async () => {
    const tenant = await writerTenant(predictions.db);
    const pool = await connect({ url: predictions.serviceUrl, max: 1, acquireTimeoutMs: 50 });
    const held = barrier();
    const holding = barrier();
    const hold = withTenant(pool, tenant, async () => {
      holding.arrive();
      await held.passed;
    });
    await holding.passed;
    const timer = testTimer();
    const { writer, rejected } = openWriter(pool, tenant, { after: timer.after });
    const pending = writer.record({ ...churn, subject: 'patient' });
    // The first attempt has failed.
    await expect.poll(() => timer.waits().length).toBe(1);
    held.open();
    await hold;
    timer.fire();
    await pending;
    expect(await subjectsOf(predictions.db, tenant)).toEqual(['patient']);
    expect(rejected).toEqual([]);
    await pool.close();
  });
});

describe('close', () => {
  it('writes what is there, also what waits for room, and takes nothing more', async () => {
    const tenant = await writerTenant(predictions.db);
    const { writer } = openWriter(predictions.db, tenant, { maxRows: 10, flushRows: 3 });
    const all = numbers(50).map((n) => writer.enqueue({ ...churn, subject: `${n}` }));
    const closing = writer.close();
    expect(await refusalOf(writer.enqueue({ ...churn }))).toMatchObject({ code: 'failed_precondition' });
    expect(await closing).toEqual([]);
    await Promise.all(all);
    expect(await storedRows(predictions.db, tenant)).toHaveLength(50);
    expect(await writer.close()).toEqual([]);
    expect(await refusalOf(writer.record({ ...churn }))).toMatchObject({ code: 'failed_precondition' });
    await writer.flush();
  });

  it('hands back, in order and with their ids, what it cannot write while the database is away', async () => {
    const tenant = await writerTenant(predictions.db);
    const proxy = await startLossyProxy(predictions.serviceUrl);
    const db = await connect({ url: proxy.url, max: 2 });
    const { writer, rejected } = openWriter(db, tenant, {
      maxRows: 8,
      flushRows: 4,
      retryMs: 60_000,
      retryMaxMs: 60_000,
    });
    await writer.record({ ...churn, subject: 'before' });
    // One batch is committed, and nobody hears of it; it is not tried again before the database is away.
    proxy.loseAnswers(1);
    const unheard = numbers(4).map((n) => writer.enqueue({ ...churn, subject: `unheard ${n}`, output: { n } }));
    await Promise.all(unheard);
    await expect.poll(() => proxy.lost()).toBe(1);
    await proxy.close();
    const ids = await Promise.all(numbers(4).map((n) => writer.enqueue({ ...churn, subject: `taken ${n}` })));
    const waiting = numbers(3).map((n) => refusalOf(writer.record({ ...churn, subject: `waits ${n}` })));
    const handedBack = await writer.close({ timeoutMs: 100 });
    for (const one of await Promise.all(waiting)) expect(one).toMatchObject({ code: 'unavailable' });
    expect(handedBack.map(({ subject }) => subject)).toEqual([
      ...numbers(4).map((n) => `unheard ${n}`),
      ...numbers(4).map((n) => `taken ${n}`),
      ...numbers(3).map((n) => `waits ${n}`),
    ]);
    expect(handedBack.slice(4, 8).map(({ id }) => id)).toEqual(ids);
    expect(writer.backlog()).toEqual({ rows: 0, bytes: 0 });
    expect(rejected).toEqual([]);
    // Whoever has them writes them another way.
    const repeated = await predictions.run(tenant, async (tx) => {
      let count = 0;
      for (const { name = '', version = '', ...prediction } of handedBack) {
        count += (await recordPredictions(tx, { name, version, predictions: [prediction] })).repeated;
      }
      return count;
    });
    expect(repeated).toBe(4);
    expect(await storedRows(predictions.db, tenant)).toHaveLength(12);
    await db.close();
  });
});

describe('a process', () => {
  it('that is killed loses nothing that was acknowledged', async () => {
    const tenant = await writerTenant(predictions.db);
    const service = startService(tenant, { FOREVER: 'yes' });
    const acknowledged: string[] = [];
    while (acknowledged.length < 300) acknowledged.push(await service.nextLine());
    service.signal('SIGKILL');
    await service.ended;
    for (;;) {
      const line = await service.nextLine().catch(() => undefined);
      if (line === undefined) break;
      acknowledged.push(line);
    }
    // What was under way when it was killed may still be committed by the server.
    await expect.poll(() => subjectsOf(predictions.db, tenant)).toEqual(expect.arrayContaining(acknowledged));
    const subjects = await subjectsOf(predictions.db, tenant);
    expect(new Set(subjects).size).toBe(subjects.length);
  }, 60_000);

  it('is not kept alive by what waits in a writer', async () => {
    const tenant = await writerTenant(predictions.db);
    const service = startService(tenant);
    expect(await service.nextLine()).toBe('ends');
    expect(await service.ended).toEqual({ exitCode: 0, signal: null });
    expect(await subjectsOf(predictions.db, tenant)).toEqual(['recorded']);
  }, 30_000);
});
