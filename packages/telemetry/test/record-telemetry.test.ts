import { type DomainError, newId, type TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  mlTelemetryDirtyBuckets,
  mlTelemetryEvents,
  type RecordTelemetryInput,
  recordTelemetry,
  TELEMETRY_LIMITS,
} from '../src/index.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const now = new Date('2026-05-04T10:20:30.456Z');
const event = { subject: 'endpoint/predict', metric: 'latency', value: 12.5, at: now };

const count = async (tx: TenantTx, table: string) => {
  const [row] = await tx.execute<{ count: number }>(sql`select count(*)::int from ${sql.identifier(table)}`);
  return row?.count;
};
const refusalOf = async (work: Promise<unknown>) => (await failureOf(work)) as DomainError;

describe('recordTelemetry', () => {
  it('stores values as themselves, each under the time of its event, with one series for equal labels', async () => {
    const tenant = freshTenant();
    const values = [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e140, 0.1 + 0.2];
    const outcome = await telemetry.run(
      tenant,
      (tx) =>
        recordTelemetry(tx, {
          events: values.map((value, n) => ({
            ...event,
            value,
            at: new Date(now.getTime() - 3_600_000 * n),
            labels: n % 2 === 0 ? { region: 'eu', kind: 'x' } : { kind: 'x', region: 'eu' },
          })),
        }),
      { now },
    );
    expect(outcome).toEqual({ recorded: 8, repeated: 0 });
    await telemetry.run(tenant, async (tx) => {
      const rows = await tx.select().from(mlTelemetryEvents).orderBy(sql`id desc`);
      expect(rows.map(({ value }) => value)).toEqual(values);
      expect(rows.map(({ recordedAt }) => recordedAt.getTime())).toEqual(
        values.map((_, n) => now.getTime() - 3_600_000 * n),
      );
      expect(new Set(rows.map(({ seriesId }) => seriesId)).size).toBe(1);
      expect(await count(tx, 'ml_telemetry_dirty_buckets')).toBe(8);
    });
  });

  it('marks each minute once a batch, at its beginning, and leaves one work row for batches that follow each other', async () => {
    const tenant = freshTenant();
    const events = Array.from({ length: 100 }, (_, n) => ({ ...event, at: new Date(now.getTime() - n * 1_000) }));
    for (let n = 0; n < 3; n += 1) await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events }), { now });
    await telemetry.run(tenant, async (tx) => {
      const marks = await tx.select().from(mlTelemetryDirtyBuckets);
      const minutes = ['10:20', '10:19', '10:18'].map((time) => new Date(`2026-05-04T${time}:00Z`).getTime());
      expect(new Set(marks.map(({ bucketAt }) => bucketAt.getTime()))).toEqual(new Set(minutes));
      expect(marks).toHaveLength(9);
      expect(await count(tx, 'tenant_work')).toBe(1);
    });
  });

  it('takes the transaction’s time where an event says none', async () => {
    const tenant = freshTenant();
    const { at: _, ...timeless } = event;
    await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events: [timeless, timeless] }), { now });
    const rows = await telemetry.run(tenant, (tx) => tx.select().from(mlTelemetryEvents));
    expect(rows.map(({ recordedAt }) => recordedAt)).toEqual([now, now]);
  });

  it('records an id once, in one batch, in a repeated one and in two at the same time in any order', async () => {
    const tenant = freshTenant();
    const events = Array.from({ length: 200 }, (_, n) => ({ ...event, value: n, id: newId(now) }));
    const [first] = events;
    const record = (tx: TenantTx, given: typeof events) => recordTelemetry(tx, { events: given });
    if (first === undefined) return;
    expect(await telemetry.run(tenant, (tx) => record(tx, [first, first]), { now })).toEqual({
      recorded: 1,
      repeated: 1,
    });
    const both = await Promise.all(
      [events, events.toReversed()].map((given) => telemetry.run(tenant, (tx) => record(tx, given), { now })),
    );
    expect(both.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(199);
    expect(await telemetry.run(tenant, (tx) => record(tx, events), { now })).toEqual({ recorded: 0, repeated: 200 });
    expect(await telemetry.run(tenant, (tx) => count(tx, 'ml_telemetry_events'))).toBe(200);
  });

  it('refuses an id that comes back with another value or series, and writes nothing of that batch', async () => {
    const tenant = freshTenant();
    const id = newId(now);
    await telemetry.run(tenant, (tx) => recordTelemetry(tx, { events: [{ ...event, id }] }), { now });
    for (const other of [{ value: 13 }, { labels: { region: 'eu' } }]) {
      const work = telemetry.run(tenant, (tx) => recordTelemetry(tx, { events: [event, { ...event, id, ...other }] }), {
        now,
      });
      expect(await refusalOf(work)).toMatchObject({ code: 'conflict', details: { field: 'events[1].id', index: 1 } });
    }
    expect(await telemetry.run(tenant, (tx) => count(tx, 'ml_telemetry_events'))).toBe(1);
  });

  it.each([
    ['value', { value: 1.1e140 }, 'invalid_input'],
    ['value', { value: '7' }, 'invalid_input'],
    ['subject', { subject: '' }, 'invalid_input'],
    ['metric', { metric: 'x'.repeat(TELEMETRY_LIMITS.metricLength + 1) }, 'invalid_input'],
    ['labels', { labels: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ''])) }, 'invalid_input'],
    ['labels', { labels: JSON.parse('{"__proto__":"x","region":"eu"}') as object }, 'invalid_input'],
    ['at', { at: new Date('1999-12-31T23:59:59.999Z') }, 'invalid_input'],
    ['at', { at: new Date('2100-01-01Z') }, 'invalid_input'],
    ['at', { at: new Date(now.getTime() + TELEMETRY_LIMITS.aheadMs + 1) }, 'invalid_input'],
    ['id', { id: newId(new Date(0)), at: undefined }, 'invalid_input'],
    ['id', { id: newId(new Date(now.getTime() + 1)) }, 'invalid_input'],
    ['id', { id: '6f1c2f3e-1111-4111-8111-111111111111' }, 'invalid_input'],
    ['unit', { unit: 's' }, 'conflict'],
  ] as const)('names the event where its %s is refused, and writes nothing', async (field, wrong, code) => {
    const tenant = freshTenant();
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events: [{ ...event, unit: 'ms' }] });
        const events = [
          event,
          { ...event, subject: 'new' },
          { ...event, ...wrong },
        ] as unknown as RecordTelemetryInput['events'];
        const error = await refusalOf(tx.transaction((inner) => recordTelemetry(inner, { events })));
        expect(error).toMatchObject({ code, details: { field: `events[2].${field}` } });
        expect(error.message).toContain(`events[2].${field}`);
        expect(await count(tx, 'ml_telemetry_events')).toBe(1);
        expect(await count(tx, 'ml_telemetry_series')).toBe(1);
      },
      { now },
    );
  });

  it('refuses more than the limit of a batch, and takes exactly the limit and nothing', async () => {
    const tenant = freshTenant();
    const full = Array.from({ length: TELEMETRY_LIMITS.batchSize }, (_, n) => ({
      ...event,
      subject: `s${n % 300}`,
      value: n,
    }));
    await telemetry.run(
      tenant,
      async (tx) => {
        expect(await recordTelemetry(tx, { events: full })).toEqual({ recorded: 10_000, repeated: 0 });
        expect(await recordTelemetry(tx, { events: [] })).toEqual({ recorded: 0, repeated: 0 });
        expect(await refusalOf(recordTelemetry(tx, { events: [...full, event] }))).toMatchObject({
          code: 'invalid_input',
          details: { field: 'events', limit: 10_000, got: 10_001 },
        });
      },
      { now },
    );
  });

  it('gives a metric the unit that is said first', async () => {
    const tenant = freshTenant();
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events: [event] });
        await recordTelemetry(tx, { events: [{ ...event, unit: 'ms' }, event] });
        expect(await refusalOf(recordTelemetry(tx, { events: [{ ...event, unit: 's' }] }))).toMatchObject({
          code: 'conflict',
        });
      },
      { now },
    );
  });

  it('holds the limit of label sets exactly, whoever records them at the same time', async () => {
    const tenant = freshTenant();
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events: [{ ...event, labels: { user: 'first' } }] });
        await tx.execute(sql`update ml_telemetry_metrics set label_set_limit = 10`);
      },
      { now },
    );
    const attempts = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) =>
        telemetry.run(
          tenant,
          (tx) => recordTelemetry(tx, { events: [event, { ...event, subject: `s${n}`, labels: { user: `${n}` } }] }),
          { now },
        ),
      ),
    );
    // Nine label sets are left, and the empty one takes one of them.
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') continue;
      expect(attempt.reason).toMatchObject({
        code: 'invalid_input',
        details: { field: 'events[1].labels', index: 1, limit: 10 },
      });
    }
    await telemetry.run(
      tenant,
      async (tx) => {
        const [row] = await tx.execute(sql`
        select (select label_set_count from ml_telemetry_metrics) as counted,
               (select count(distinct labels_key)::int from ml_telemetry_series) as there`);
        expect(row).toEqual({ counted: 10, there: 10 });
        // What is known is recorded at the limit too.
        expect(await recordTelemetry(tx, { events: [{ ...event, labels: { user: 'first' } }] })).toMatchObject({
          recorded: 1,
        });
      },
      { now },
    );
  });

  it('does not wait for another transaction that records the same series, with no work row and with one', async () => {
    const tenant = freshTenant();
    await telemetry.run(
      tenant,
      async (tx) => {
        await recordTelemetry(tx, { events: [event] });
        await tx.execute(sql`delete from tenant_work`);
      },
      { now },
    );
    for (let round = 0; round < 2; round += 1) {
      const together = barrier(4);
      await Promise.all(
        Array.from({ length: 4 }, () =>
          telemetry.run(
            tenant,
            async (tx) => {
              await recordTelemetry(tx, { events: [event] });
              together.arrive();
              // All four have recorded before the first commits.
              await together.passed;
            },
            { now },
          ),
        ),
      );
    }
    expect(await telemetry.run(tenant, (tx) => count(tx, 'ml_telemetry_events'))).toBe(9);
    expect(await telemetry.run(tenant, (tx) => count(tx, 'tenant_work'))).toBe(4);
  });

  it('never runs into a deadlock, whatever the order of new series, metrics and ids', async () => {
    const tenant = freshTenant();
    const events = Array.from({ length: 120 }, (_, n) => ({
      ...event,
      metric: `m${n % 7}`,
      subject: `s${n % 30}`,
      value: n,
      id: newId(now),
    }));
    const shuffled = (seed: number) =>
      events.map((given, n) => ({ given, key: (n * 7_919 + seed * 104_729) % 1_009 })).sort((a, b) => a.key - b.key);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, seed) =>
        telemetry.run(tenant, (tx) => recordTelemetry(tx, { events: shuffled(seed).map(({ given }) => given) }), {
          now,
        }),
      ),
    );
    expect(outcomes.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(120);
  });
});
