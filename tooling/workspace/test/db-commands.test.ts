import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  connect,
  createTenant,
  recordEvent,
  scheduleWork,
  type TenantTx,
  withIdempotencyKey,
  withTenant,
} from '@mcp-hub/db-core';
import { runRepositoryCli } from '@mcp-hub/migrate/repository';
import { createTestDatabase, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { maintainCommand } from '../src/commands/maintain.ts';
import { tenantsCommand } from '../src/commands/tenants.ts';

const database = useTestDatabase();

async function db(parameters: readonly string[], url = database.ownerUrl, environment = 'test') {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-commands-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(fileURLToPath(new URL('../../../migrations', import.meta.url)), join(folder, 'migrations'));
  writeFileSync(join(folder, `.env.${environment}`), `POSTGRES_URL=${url}\n`);
  let [out, error] = ['', ''];
  const code = await runRepositoryCli(
    [...parameters, '--directory', folder, '--env', environment],
    { out: (text) => (out += text), error: (text) => (error += text) },
    [maintainCommand, tenantsCommand],
  );
  return { code, out, error };
}

test('db:tenants creates, lists and changes tenants, by the rules of db-core', async () => {
  const { ownerUrl, drop } = await createTestDatabase();
  onTestFinished(drop);
  const tenants = (...parameters: string[]) => db(['tenants', ...parameters], ownerUrl);
  expect(await tenants('create', 'acme', '--name', 'Acme Ltd')).toMatchObject({ code: 0 });
  expect(await tenants('create', 'acme')).toMatchObject({ code: 3, error: expect.stringContaining('created before') });
  for (const id of [' x ', '', 'x\u0007', 'x'.repeat(129)]) {
    expect(await tenants('create', id)).toMatchObject({
      code: 2,
      error: expect.stringContaining('The tenant id must'),
    });
  }
  expect(await tenants('set-status', 'acme', 'suspended')).toMatchObject({ code: 0 });
  expect(await tenants('set-status', 'acme', 'gone')).toMatchObject({ code: 2 });
  expect(await tenants('set-status', 'nobody', 'active')).toMatchObject({ code: 3 });
  expect(await tenants('remove', 'acme')).toMatchObject({ code: 2 });
  expect((await tenants()).out).toMatch(/^acme +suspended .*Acme Ltd\n1 tenant, 0 active\.\n$/);
  expect(JSON.parse((await tenants('--json')).out)).toMatchObject({
    tenants: [{ tenantId: 'acme', status: 'suspended', displayName: 'Acme Ltd' }],
  });
});

test('db:tenants lists more than a page', async () => {
  const { ownerUrl, serviceUrl, drop } = await createTestDatabase();
  onTestFinished(drop);
  const service = await connect({ url: serviceUrl });
  await Promise.all(Array.from({ length: 1_001 }, (_, n) => createTenant(service, { tenant: `t${n}` })));
  await service.close();
  expect((await db(['tenants'], ownerUrl)).out).toMatch(/\n1001 tenants, 1001 active\.\n$/);
});

test('db:maintain deletes what retention has passed, of tenants that were never created too, and says so', async () => {
  const service = await connect({ url: database.serviceUrl });
  onTestFinished(() => service.close());
  const before = { now: new Date(Date.now() - 40 * 86_400_000) };
  const leave = async (tx: TenantTx) => {
    for (const key of ['a', 'b']) await withIdempotencyKey(tx, { scope: 's', key, request: 1 }, async () => 1);
    await recordEvent(tx, { topic: 't', subjectId: 's' });
    await scheduleWork(tx, { kind: 'job' });
  };
  await withTenant(service, 'never created', leave, before);
  await withTenant(service, 'of today', leave);
  expect(await db(['maintain', '--months-ahead', '1'])).toMatchObject({
    code: 0,
    error: '',
    out: expect.stringMatching(/^Made: (?:[a-z_]+_\d{4}_\d\d(?:, |\.\n))+Deleted: 2 /),
  });
  await withTenant(service, 'never created too', leave, before);
  expect(await db(['maintain', '--months-ahead', '1'])).toEqual({
    code: 0,
    error: '',
    out: 'Deleted: 2 expired idempotency keys, 0 outbox events, 0 rows of dead work.\n1 tenant had something to look at.\n',
  });
  const { code, out } = await db(['maintain', '--json', '--undelivered-after-days', '10']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ tenants: 2, failed: 0, idempotencyKeys: 0, outboxEvents: 2, workRows: 0 });
  for (const wrong of [
    ['--dead-after-days', 'x'],
    ['--months-ahead', '-1'],
    ['--drop-after-days', '30'],
  ]) {
    expect(await db(['maintain', ...wrong])).toMatchObject({ code: 2 });
  }
});

test('db:maintain keeps the tables by time as db:verify wants them, and drops by its rule', async () => {
  const { ownerUrl, serviceUrl, drop } = await createTestDatabase();
  onTestFinished(drop);
  const service = await connect({ url: serviceUrl });
  const record = (day: string) =>
    withTenant(service, 'acme', (tx) =>
      tx.execute(sql`insert into ml_telemetry_events (id, series_id, value)
                     values (app_uuid_v7(${day}::text::timestamptz), app_uuid_v7(), 1)`),
    );
  for (const day of ['2020-01-31Z', '2020-02-01Z']) await record(day);
  // What it finds is said by db:verify until then.
  expect(await db(['verify'], ownerUrl)).toMatchObject({
    code: 5,
    out: expect.stringContaining('ml_telemetry_events_default: holds rows'),
  });
  expect(await db(['maintain'], ownerUrl)).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^Made: .*ml_telemetry_events_2020_01, ml_telemetry_events_2020_02, .*\nMoved there: 2 rows of default partitions\.\n/,
    ),
  });
  expect(await db(['verify'], ownerUrl)).toMatchObject({ code: 0 });
  expect(await db(['maintain', '--drop-after-days', 'ml_telemetry_events=400'], ownerUrl)).toMatchObject({
    code: 0,
    out: expect.stringContaining('Dropped: ml_telemetry_events_2020_01, ml_telemetry_events_2020_02.\n'),
  });
  expect(await db(['verify'], ownerUrl)).toMatchObject({ code: 0 });
  await record('2020-01-31Z');
  expect(await db(['maintain', '--drop-after-days', 'none=400'], ownerUrl)).toMatchObject({
    code: 3,
    error: expect.stringContaining('There are: ab_outcomes, ml_telemetry_events'),
  });
  await service.close();
});

test('db:maintain names a tenant where it failed, and ends with 1', async () => {
  const { ownerUrl, drop } = await createTestDatabase();
  onTestFinished(drop);
  const owner = postgres(ownerUrl, { max: 1 });
  await owner`select set_config('app.tenant', ' no id', false)`;
  await owner`insert into tenant_work (kind, due_at) values ('db-core.retention', now())`;
  await owner.end();
  const { code, error } = await db(['maintain'], ownerUrl);
  expect(code).toBe(1);
  expect(error).toMatch(
    /^retention of a tenant failed: {2}no id: The tenant id .*\n1 tenant failed; the next run tries again\.\n$/,
  );
});

test('both ask for --yes on production, name a database that is not there, and one without migrations', async () => {
  const empty = await createTestDatabase({ migrated: false });
  onTestFinished(empty.drop);
  const nobody = new URL(database.ownerUrl);
  nobody.port = '1';
  for (const parameters of [['maintain'], ['tenants', 'create', 'x']]) {
    expect(await db(parameters, database.ownerUrl, 'production')).toMatchObject({
      code: 2,
      error: expect.stringContaining('--yes'),
    });
    expect(await db(parameters, nobody.href)).toMatchObject({
      code: 4,
      error: expect.stringContaining(`:1${nobody.pathname}`),
    });
    expect(await db(parameters, empty.ownerUrl)).toMatchObject({
      code: 3,
      error: expect.stringContaining('db:migrate'),
    });
  }
  expect(await db(['maintain', '--yes'], database.ownerUrl, 'production')).toMatchObject({ code: 0 });
});
