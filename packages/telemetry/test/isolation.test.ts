import { dispatchWork, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { at, callFunction, functionNames, inputs, makeWorld, withoutTransaction } from './support/every-function.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const tables = [
  'ml_telemetry_metrics',
  'ml_telemetry_series',
  'ml_telemetry_events',
  'ml_telemetry_dirty_buckets',
  'ml_telemetry_aggregates',
  'ml_telemetry_retention',
  'tenant_work',
];

async function contentOf(tenant: string): Promise<readonly unknown[]> {
  return await telemetry.run(tenant, async (tx) => {
    const content: unknown[] = [];
    for (const table of tables) {
      const rows = await tx.execute(sql`select t::text as row from ${sql.identifier(table)} t order by t::text`);
      content.push(table, [...rows]);
    }
    return content;
  });
}

/** The same input under names and ids that nobody has. */
const asNobodys = (input: unknown): unknown =>
  JSON.parse(
    JSON.stringify(input).replaceAll('latency', 'nobodys').replaceAll('"subject":"a"', '"subject":"nobody"'),
    (_, value: unknown) => (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value),
  );

describe("tenant B, using tenant A's names", () => {
  let owner: string;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    await telemetry.run(owner, makeWorld, { now: at });
    before = await contentOf(owner);
  });

  it.each(functionNames)('%s cannot tell them from what nobody has', async (name) => {
    const call = (tenant: string, input: unknown) =>
      outcomeOf(telemetry.run(tenant, (tx) => callFunction(tx, name, input), { now: at }));
    const withTheirs = await call(freshTenant(), inputs[name]);
    const withNobodys = await call(freshTenant(), asNobodys(inputs[name]));
    const text = (outcome: unknown) =>
      JSON.stringify(outcome)
        .replaceAll('nobodys', 'latency')
        .replaceAll(/tenant-\w+/g, '');
    expect(text(withTheirs)).toEqual(text(withNobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      await telemetry
        .run(
          owner,
          async (tx: TenantTx) => {
            outcome = await outcomeOf(callFunction(tx, name, inputs[name]));
            throw undo;
          },
          { now: at },
        )
        .catch(() => {});
      const asStranger = await outcomeOf(
        telemetry.run(freshTenant(), (tx) => callFunction(tx, name, inputs[name]), { now: at }),
      );
      if (JSON.stringify(outcome) === JSON.stringify(asStranger)) same.push(name);
    }
    // It answers how many were recorded; where, is compared above.
    expect(same).toEqual(['recordTelemetry']);
  });

  it("an event's id is one row a tenant: A's id is free for B, and both keep theirs", async () => {
    const id = '019df26b-6cf8-7000-8000-000000000001';
    const record = (tenant: string, value: number) =>
      telemetry.run(
        tenant,
        (tx) => exported.recordTelemetry(tx, { events: [{ subject: 'a', metric: 'm', value, id }] }),
        { now: new Date('2026-05-05Z') },
      );
    const [one, other] = [freshTenant(), freshTenant()];
    expect(await record(one, 1)).toEqual({ recorded: 1, repeated: 0 });
    expect(await record(other, 2)).toEqual({ recorded: 1, repeated: 0 });
    expect(await record(one, 1)).toEqual({ recorded: 0, repeated: 1 });
  });

  it("a cursor of A's series is none of B's", async () => {
    const page = await telemetry.run(owner, (tx) => exported.listSeries(tx, { limit: 1 }));
    const outcome = await outcomeOf(
      telemetry.run(freshTenant(), (tx) => exported.listSeries(tx, { limit: 1, cursor: page.nextCursor })),
    );
    expect(outcome).toMatchObject({ code: 'invalid_input' });
  });

  it('pruning and refreshing go into one tenant each', async () => {
    const other = freshTenant();
    await telemetry.run(other, makeWorld, { now: at });
    const content = await contentOf(other);
    const far = new Date('2026-06-01Z');
    const rule = { eventsBefore: far, minutesBefore: far, hoursBefore: far, daysBefore: far };
    await exported.pruneTelemetry(telemetry.db, owner, rule, { now: () => far });
    expect(await contentOf(other)).toEqual(content);
    await telemetry.run(other, (tx) => tx.execute(sql`update tenant_work set due_at = due_at + interval '1 day'`));
    const waiting = await contentOf(other);
    await dispatchWork(telemetry.db, {
      ...exported.telemetryRefreshHandler(),
      now: () => new Date(at.getTime() + 60_000),
    });
    expect(await contentOf(other)).toEqual(waiting);
  });

  it('no partition is reached but through its table', async () => {
    for (const statement of [
      sql`select 1 from ml_telemetry_events_default`,
      sql`insert into ml_telemetry_events_default (series_id, value) values (gen_random_uuid(), 1)`,
      sql`update ml_telemetry_events_default set value = 2`,
      sql`delete from ml_telemetry_events_default`,
    ]) {
      const outcome = await outcomeOf(telemetry.run(owner, (tx) => tx.execute(statement)));
      expect(outcome).toMatchObject({ code: 'permission_denied' });
    }
  });

  it("rows written by hand touch no other tenant: A's series is as one that nobody has, A's horizon is A's to write", async () => {
    const content = await contentOf(owner);
    const { items } = await telemetry.run(owner, (tx) => exported.listSeries(tx));
    const stranger = freshTenant();
    const mark = (series: string) =>
      outcomeOf(
        telemetry.run(stranger, (tx) =>
          tx.execute(
            sql`insert into ml_telemetry_dirty_buckets (series_id, bucket_at) values (${series}::uuid, '2026-05-04Z')`,
          ),
        ),
      );
    const theirs = await mark(items[0]?.id ?? '');
    expect(theirs).toMatchObject({ name: 'DomainError' });
    expect(theirs).toEqual(await mark('019df26b-6cf8-7000-8000-00000000dead'));
    const horizon = telemetry.run(stranger, (tx) =>
      tx.execute(sql`insert into ml_telemetry_retention (tenant_id, events_from) values (${owner}, '2090-01-01Z')`),
    );
    expect(await outcomeOf(horizon)).toMatchObject({ code: 'permission_denied' });
    expect(await contentOf(owner)).toEqual(content);
  });

  it('a tenant whose refresh fails again and again keeps nobody else from theirs', async () => {
    const [broken, other] = [freshTenant(), freshTenant()];
    const record = (tenant: string) =>
      telemetry.run(
        tenant,
        (tx) => exported.recordTelemetry(tx, { events: [{ subject: 'a', metric: 'm', value: 1 }] }),
        {
          now: at,
        },
      );
    await record(broken);
    // By hand: an hour that does not fit its column.
    await telemetry.run(broken, (tx) =>
      tx.execute(sql`
        insert into ml_telemetry_aggregates (series_id, grain, bucket_at, n, mean, m2, nan_count, infinity_count,
                                             negative_infinity_count, histogram_keys, histogram_counts)
        select id, 'minute', '2026-05-04T10:00Z', 9223372036854775807, 1, 0, 0, 0, 0, '{}', '{}'
          from ml_telemetry_series`),
    );
    for (const bucket of ['1950-01-01Z', 'infinity']) {
      const marking = telemetry.run(broken, (tx) =>
        tx.execute(
          sql`insert into ml_telemetry_dirty_buckets (series_id, bucket_at) select id, ${bucket}::text::timestamptz from ml_telemetry_series`,
        ),
      );
      expect(await outcomeOf(marking)).toMatchObject({ name: 'DomainError' });
    }
    await record(other);
    const failed: string[] = [];
    await dispatchWork(telemetry.db, {
      ...exported.telemetryRefreshHandler(),
      now: () => new Date(at.getTime() + 60_000),
      onError: (_error, _work, tenant) => void failed.push(tenant),
    });
    expect(failed).toEqual([broken]);
    const [stored] = await telemetry.run(other, (tx) =>
      tx.execute<{ rows: number }>(sql`select count(*)::int as rows from ml_telemetry_aggregates`),
    );
    expect(stored?.rows).toBe(3);
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...functionNames, ...withoutTransaction].sort()).toEqual(functions.sort());
  });
});
