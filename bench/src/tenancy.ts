import {
  connect,
  type Database,
  idempotencyKeys,
  readOne,
  type TenantTx,
  tenantOf,
  withTenant,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { type DelayProxy, startDelayProxy } from './delay-proxy.ts';
import { type Case, measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

/** The tenants' table without its tenancy: what a team without this layer would read. */
const bareKeys = pgTable('bare_keys', {
  tenantId: text('tenant_id').notNull(),
  scope: text('scope').notNull(),
  key: text('key').notNull(),
  requestDigest: text('request_digest').notNull(),
  response: jsonb('response'),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
});

const tenant = 'bench';
const delayMs = 2;
const keysPerTenant = 1_000;

/** What the tenant context costs: round trips and times of a point read, beside Drizzle without tenancy. */
export async function benchTenancy(): Promise<void> {
  const database = await startBenchDatabase();
  const address = new URL(database.serviceUrl);
  const proxy = await startDelayProxy({ host: address.hostname, port: Number(address.port), delayMs });
  try {
    await fill(database.ownerUrl);
    const far = new URL(database.serviceUrl);
    far.host = `127.0.0.1:${proxy.port}`;
    await compare(`Through a proxy that adds ${delayMs} ms each way`, far.href, { rounds: 150, warmUp: 10 }, proxy);
    await compare('On loopback', database.serviceUrl, { rounds: 3_000, warmUp: 300 });
  } finally {
    await proxy.close();
    await database.end();
  }
}

/** The same rows in the tenants' table and in a bare one without row level security. */
async function fill(ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1 });
  await owner.begin(async (tx) => {
    await tx`select app_set_tenant(${tenant})`;
    await tx`insert into idempotency_keys (scope, key, request_digest, expires_at)
             select 'bench', 'k' || n, 'digest', '2030-01-01' from generate_series(1, ${keysPerTenant}) n`;
  });
  await owner`create table bare_keys (like idempotency_keys including defaults including indexes)`;
  await owner`insert into bare_keys (tenant_id, scope, key, request_digest, expires_at)
              select ${tenant}, 'bench', 'k' || n, 'digest', '2030-01-01' from generate_series(1, ${keysPerTenant}) n`;
  await owner`grant select on bare_keys to public`;
  await owner`vacuum analyze bare_keys`;
  await owner`vacuum analyze idempotency_keys`;
  await owner.end();
}

async function compare(
  title: string,
  url: string,
  times: { readonly rounds: number; readonly warmUp: number },
  proxy?: DelayProxy,
): Promise<void> {
  const client = postgres(url, { max: 1 });
  const db = await connect({ url, max: 1 });
  const cases = casesOf(drizzle(client), db);
  const measured = await measure(cases, times);
  const trips = await roundTrips(cases, proxy);
  printTable(
    title,
    measured.map((row, index) => ({
      read: row.name,
      ...(proxy === undefined ? {} : { 'round trips': trips[index] ?? 0 }),
      'median ms': row.medianMs,
      'p95 ms': row.p95Ms,
      ratio: row.ratio,
      aim: row.aim,
    })),
  );
  await client.end();
  await db.close();
}

function casesOf(stock: ReturnType<typeof drizzle>, db: Database): readonly Case[] {
  let turn = 0;
  const next = () => {
    turn = (turn % keysPerTenant) + 1;
    return `k${turn}`;
  };
  const wanted = (table: typeof idempotencyKeys | typeof bareKeys, owner: string) =>
    and(eq(table.tenantId, owner as never), eq(table.scope, 'bench'), eq(table.key, next()));
  const select = (tx: TenantTx) =>
    tx
      .select()
      .from(idempotencyKeys)
      .where(wanted(idempotencyKeys, tenantOf(tx)));
  return [
    {
      name: 'stock Drizzle, bare select',
      run: () => stock.select().from(bareKeys).where(wanted(bareKeys, tenant)),
    },
    {
      name: 'naive transaction and set_config',
      run: () =>
        stock.transaction(async (tx) => {
          await tx.execute(sql`select set_config('app.tenant', ${tenant}, true)`);
          return await tx.select().from(idempotencyKeys).where(wanted(idempotencyKeys, tenant));
        }),
    },
    { name: 'withTenant', aim: '1.0', run: () => withTenant(db, tenant, select) },
    { name: 'readOne', aim: 'below 1', run: () => readOne(db, tenant, select) },
  ];
}

async function roundTrips(cases: readonly Case[], proxy: DelayProxy | undefined): Promise<readonly number[]> {
  if (proxy === undefined) return [];
  const trips: number[] = [];
  for (const { run } of cases) {
    const before = proxy.flights();
    for (let call = 0; call < 10; call += 1) await run();
    trips.push((proxy.flights() - before) / 10);
  }
  return trips;
}
