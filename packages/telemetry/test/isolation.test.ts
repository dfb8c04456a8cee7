import { type DomainError, dispatchWork, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { at, callFunction, functionNames, inputs, makeWorld, withoutTransaction } from './support/every-function.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

/** A result or an error, as the caller sees it. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await work };
  } catch (error) {
    const { name, code, message, details } = error as DomainError;
    return { name, code, message, details };
  }
}

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

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...functionNames, ...withoutTransaction].sort()).toEqual(functions.sort());
  });
});
