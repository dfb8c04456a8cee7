import { type DomainError, newId, type TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { invalidateAggregates, recordTelemetry, refreshAggregates } from '../src/index.ts';
import { expectedRows, type Measured, refreshAll, storedRows } from './support/telemetry-reference.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const now = new Date('2026-05-04T12:00:00Z');
const subjects = ['a', 'b', 'c'] as const;

/** Two days, so that minutes, hours and days all come together from parts. */
const anEvent: fc.Arbitrary<Measured> = fc.record({
  subject: fc.constantFrom(...subjects),
  at: fc
    .oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 2 * 86_400_000 }))
    .map((ms) => new Date(now.getTime() - ms)),
  value: fc.oneof(
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.double({ min: 1e9, max: 1e9 + 1, noNaN: true }),
    fc.constantFrom(0, -0, 5e-324, -1e-200, 1e140, -1e140, 0.1, 1 / 3),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
});

const record = (tx: TenantTx, events: readonly (Measured & { readonly id: string })[]) =>
  recordTelemetry(tx, { events: events.map((event) => ({ ...event, metric: 'm' })) });

async function makeSubjects(tenant: string): Promise<void> {
  // Their series are there before, so that no transaction of a schedule waits for another that makes them too.
  await telemetry.run(
    tenant,
    async (tx) => {
      for (const subject of subjects)
        await recordTelemetry(tx, { events: [{ subject, metric: 'm', value: 1, at: now }] });
      await tx.execute(sql`delete from ml_telemetry_events`);
      await tx.execute(sql`delete from ml_telemetry_dirty_buckets`);
    },
    { now },
  );
}

const undo = new Error('undo');

/** A transaction that has done its work and waits to be ended. */
async function open(tenant: string, work: (tx: TenantTx) => Promise<unknown>) {
  let end: (commit: boolean) => void = () => {};
  const ending = new Promise<boolean>((resolve) => (end = resolve));
  let done: () => void = () => {};
  const worked = new Promise<void>((resolve) => (done = resolve));
  const ended = telemetry
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

interface Step {
  /** Which of the open transactions ends before; none where there is no such. */
  readonly end: number;
  readonly commit: boolean;
  readonly work: { readonly events: readonly Measured[]; readonly repeat: boolean } | { readonly limit: number };
}

const aStep: fc.Arbitrary<Step> = fc.record({
  end: fc.integer({ min: 0, max: 8 }),
  commit: fc.boolean().chain((one) => fc.boolean().map((other) => one || other)),
  work: fc.oneof(
    fc.record({ events: fc.array(anEvent, { minLength: 1, maxLength: 12 }), repeat: fc.boolean() }),
    fc.record({ limit: fc.constantFrom(1, 3, 100) }),
  ),
});

/** Runs the steps, up to six transactions open at a time, and says what was committed. */
async function perform(tenant: string, steps: readonly Step[]): Promise<readonly Measured[]> {
  const committed: (Measured & { readonly id: string })[] = [];
  const opened: { readonly end: (commit: boolean) => Promise<void>; readonly events: typeof committed }[] = [];
  const endOne = async (index: number, commit: boolean) => {
    const [ending] = opened.splice(index, 1);
    if (ending === undefined) return;
    await ending.end(commit);
    if (commit) committed.push(...ending.events);
  };
  for (const step of steps) {
    if (step.end < opened.length) await endOne(step.end, step.commit);
    if (opened.length === 6) await endOne(0, step.commit);
    const { work } = step;
    if ('limit' in work) {
      opened.push({ end: await open(tenant, (tx) => refreshAggregates(tx, work)), events: [] });
    } else {
      const events = work.events.map((event) => ({ ...event, id: newId(event.at) }));
      // Ids that are committed come again, as from a client that was not told.
      const again = work.repeat ? committed.slice(-5) : [];
      opened.push({ end: await open(tenant, (tx) => record(tx, [...events, ...again])), events });
    }
  }
  while (opened.length > 0) await endOne(0, true);
  return committed;
}

const close = (stored: string | null, expected: number | null, scale: number) => {
  if (stored === null || expected === null) return expect(stored).toBe(expected);
  expect(Math.abs(Number(stored) - expected)).toBeLessThanOrEqual(scale * 1e-9 + 1e-280);
};

describe('refreshAggregates', () => {
  it('gives what a recomputation of everything gives, bit for bit, whatever happens in which order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 25 }), async (steps) => {
        const tenant = freshTenant();
        await makeSubjects(tenant);
        const committed = await perform(tenant, steps);
        await telemetry.run(
          tenant,
          async (tx) => {
            await refreshAll(tx, 7);
            const rows = await storedRows(tx);
            await tx.execute(sql`delete from ml_telemetry_aggregates`);
            await invalidateAggregates(tx, { from: new Date(0), to: new Date('2100-01-01Z') });
            await refreshAll(tx);
            expect(rows).toEqual(await storedRows(tx));

            const expected = expectedRows(committed);
            expect(rows.map(({ subject, grain, at_ms }) => [subject, grain, at_ms])).toEqual(
              expected.map(({ subject, grain, atMs }) => [subject, grain, atMs]),
            );
            for (const [index, row] of rows.entries()) {
              const want = expected[index];
              if (want === undefined) continue;
              expect([row.n, row.nan_count, row.infinity_count, row.negative_infinity_count].map(Number)).toEqual([
                want.n,
                want.nan,
                want.infinity,
                want.negativeInfinity,
              ]);
              expect([row.min, row.max].map((text) => (text === null ? null : Number(text)))).toEqual([
                want.min,
                want.max,
              ]);
              expect(row.keys).toBe(`{${want.histogram.map(([key]) => key).join(',')}}`);
              expect(row.counts).toBe(`{${want.histogram.map(([, count]) => count).join(',')}}`);
              const size = Math.max(Math.abs(want.min ?? 0), Math.abs(want.max ?? 0));
              close(row.mean, want.mean, size);
              close(row.m2, want.m2, size * size * want.n);
            }
          },
          { now },
        );
      }),
      { numRuns: 40 },
    );
  });

  it('writes only what differs', async () => {
    const tenant = freshTenant();
    const events = [1, 2, 3].map((value) => ({ subject: 'a', metric: 'm', value, at: now, id: newId(now) }));
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events });
        expect(await refreshAggregates(tx)).toEqual({ minutes: 1, changed: 3, more: false });
        await invalidateAggregates(tx, { from: now, to: new Date(now.getTime() + 1) });
        expect(await refreshAggregates(tx)).toEqual({ minutes: 1, changed: 0, more: false });
        expect(await refreshAggregates(tx)).toEqual({ minutes: 0, changed: 0, more: false });
      },
      { now },
    );
  });

  it('removes the row of a bucket that has no events left', async () => {
    const tenant = freshTenant();
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events: [{ subject: 'a', metric: 'm', value: 1, at: now }] });
        await refreshAll(tx);
        await tx.execute(sql`delete from ml_telemetry_events`);
        await invalidateAggregates(tx, {
          from: new Date(now.getTime() + 30_000),
          to: new Date(now.getTime() + 30_001),
        });
        expect(await refreshAll(tx)).toBe(3);
        expect(await storedRows(tx)).toEqual([]);
      },
      { now },
    );
  });

  it('passes over series that another refresh holds, and takes the others', async () => {
    const tenant = freshTenant();
    await makeSubjects(tenant);
    const events = (subject: string) => [{ subject, at: now, value: 1, id: newId(now) }];
    await telemetry.run(tenant, (tx) => record(tx, events('a')), { now });
    const end = await open(tenant, (tx) => refreshAggregates(tx));
    await telemetry.run(tenant, (tx) => record(tx, [...events('a'), ...events('b')]), { now });
    expect(await telemetry.run(tenant, (tx) => refreshAggregates(tx), { now })).toMatchObject({ minutes: 1 });
    expect(await telemetry.run(tenant, (tx) => refreshAggregates(tx), { now })).toMatchObject({ minutes: 0 });
    await end(true);
    expect(await telemetry.run(tenant, (tx) => refreshAggregates(tx), { now })).toMatchObject({ minutes: 1 });
    const rows = await telemetry.run(tenant, storedRows);
    expect(rows.filter(({ grain }) => grain === 'minute').map(({ subject, n }) => [subject, n])).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
  });

  it('loses nothing where the process of the server dies in the middle', async ({ skip }) => {
    const { adminUrl } = telemetry;
    if (adminUrl === undefined) return skip('The given login may not end the process.');
    const tenant = freshTenant();
    await makeSubjects(tenant);
    await telemetry.run(tenant, (tx) => record(tx, [{ subject: 'a', at: now, value: 1, id: newId(now) }]), { now });
    const admin = postgres(adminUrl, { max: 1 });
    const dying = telemetry.run(tenant, async (tx) => {
      expect(await refreshAggregates(tx)).toMatchObject({ minutes: 1, changed: 3 });
      const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      await admin`select pg_terminate_backend(${row?.pid ?? 0})`;
    });
    expect(await failureOf(dying)).toMatchObject({ code: 'unavailable' });
    await admin.end();
    expect(await telemetry.run(tenant, storedRows)).toEqual([]);
    expect(await telemetry.run(tenant, (tx) => refreshAggregates(tx))).toMatchObject({ minutes: 1, changed: 3 });
  });

  it('refuses a transaction whose snapshot is older than its locks', async () => {
    const tenant = freshTenant();
    for (const isolationLevel of ['repeatable read', 'serializable'] as const) {
      const work = telemetry.run(tenant, (tx) => refreshAggregates(tx), { isolationLevel });
      expect((await failureOf(work)) as DomainError).toMatchObject({ code: 'failed_precondition' });
    }
  });
});
