import { failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { eq, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  type Database,
  idempotencyKeys,
  readOne,
  stageRows,
  streamRows,
  type TenantTx,
  tenantOf,
  withTenant,
} from '../src/index.ts';
import { hasPgBouncer, type PgBouncer, startPgBouncer } from './support/pgbouncer.ts';

const database = useTestDatabase();

// 1.18 and others before 1.21 know no prepared statements; hence prepare: false.
describe.skipIf(!hasPgBouncer)('behind PgBouncer in transaction mode', () => {
  let bouncer: PgBouncer;
  let db: Database;
  beforeAll(async () => {
    bouncer = await startPgBouncer(database.serviceUrl, 4);
    db = await connect({ url: bouncer.url, max: 12, prepare: false });
  });
  afterAll(async () => {
    await db.close();
    await bouncer.stop();
  });

  const expiresAt = new Date('2030-01-01T00:00:00.000Z');
  const put = (tx: TenantTx, key: string) =>
    tx.insert(idempotencyKeys).values({ scope: 's', key, requestDigest: 'd', expiresAt });
  const keysOf = async (tx: TenantTx) => {
    const rows = await tx
      .select()
      .from(idempotencyKeys)
      .where(eq(idempotencyKeys.tenantId, tenantOf(tx)));
    return rows.map((row) => row.key);
  };

  it('twelve clients over four server connections keep two hundred transactions apart', async () => {
    const tenants = Array.from({ length: 10 }, () => freshTenant());
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        withTenant(db, tenants[index % 10] ?? '', async (tx) => {
          await put(tx, `k${index}`);
          const [row] = await tx.execute(sql`select current_setting('app.tenant') as tenant`);
          expect(row).toEqual({ tenant: tenants[index % 10] });
        }),
      ),
    );
    for (const tenant of tenants) expect(await readOne(db, tenant, keysOf)).toHaveLength(20);
  });

  it('savepoints, cursors and staged COPY work', async () => {
    const tenant = freshTenant();
    const columns = ['scope', 'key', 'requestDigest', 'expiresAt'] as const;
    const rows = Array.from({ length: 1_500 }, (_, index) => ['s', `k${index}`, 'd', expiresAt]);
    const count = await withTenant(db, tenant, async (tx) => {
      const staged = await stageRows(tx, idempotencyKeys, columns, rows);
      await tx.execute(
        sql`insert into idempotency_keys (${staged.columns}) select ${staged.columns} from ${staged.table}`,
      );
      expect(await failureOf(tx.transaction((nested) => put(nested, 'k1')))).toMatchObject({ code: 'already_exists' });
      let read = 0;
      for await (const _ of streamRows(tx, (handle) => handle.select().from(idempotencyKeys), { batchRows: 400 }))
        read += 1;
      return read;
    });
    expect(count).toBe(1_500);
  });

  it('no tenant is left on a server connection', async () => {
    await withTenant(db, freshTenant(), (tx) => put(tx, 'a'));
    const plain = postgres(bouncer.url, { max: 1, prepare: false });
    const seen =
      await plain`select current_user::text as role, coalesce(current_setting('app.tenant', true), '') as tenant`;
    await plain.end();
    expect(seen).toMatchObject([{ role: decodeURIComponent(new URL(database.serviceUrl).username), tenant: '' }]);
  });

  it('a killed server connection is unavailable, and the pool is whole afterwards', async () => {
    const tenant = freshTenant();
    const killer = postgres(database.adminUrl ?? database.ownerUrl, { max: 1 });
    const failed = withTenant(db, tenant, async (tx) => {
      const [row] = await tx.execute(sql`select pg_backend_pid() as pid`);
      await killer`select pg_terminate_backend(${Number(row?.['pid'])}, 5000)`;
      await put(tx, 'a');
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'unavailable' });
    await killer.end();
    expect(await Promise.all(Array.from({ length: 20 }, () => withTenant(db, tenant, keysOf)))).toHaveLength(20);
  });
});
