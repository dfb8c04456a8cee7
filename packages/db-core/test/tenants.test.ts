import { createTestDatabase, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  createTenant,
  type Database,
  findTenant,
  getTenant,
  isDomainError,
  listTenants,
  setTenantStatus,
  tenants,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
});
afterAll(() => db.close());

describe('a tenant', () => {
  it('is created once, active, and found again', async () => {
    const tenant = freshTenant();
    const created = await createTenant(db, { tenant, displayName: 'Flights of ü' });
    expect(created).toMatchObject({ tenantId: tenant, displayName: 'Flights of ü', status: 'active' });
    expect(await getTenant(db, tenant)).toEqual(created);
    expect(await failureOf(createTenant(db, { tenant }))).toMatchObject({ code: 'already_exists' });
    expect(await getTenant(db, tenant)).toEqual(created);
  });

  it('is created by one of several that try at once', async () => {
    const tenant = freshTenant();
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => createTenant(db, { tenant })));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'already_exists' });
    }
  });

  it('that was never created is not found', async () => {
    const tenant = freshTenant();
    expect(await findTenant(db, tenant)).toBeUndefined();
    for (const act of [() => getTenant(db, tenant), () => setTenantStatus(db, { tenant, status: 'archived' })]) {
      expect(await failureOf(act())).toMatchObject({ code: 'not_found' });
    }
  });

  it('changes its status', async () => {
    const tenant = freshTenant();
    const created = await createTenant(db, { tenant });
    const suspended = await setTenantStatus(db, { tenant, status: 'suspended' });
    expect(suspended).toMatchObject({ status: 'suspended', displayName: null });
    expect(suspended.updatedAt.getTime()).toBeGreaterThanOrEqual(created.updatedAt.getTime());
    expect(await getTenant(db, tenant)).toEqual(suspended);
  });

  it('refuses what is no tenant, display name or status, and tells no value', async () => {
    const tenant = freshTenant();
    const secret = 'secret\u0007';
    for (const act of [
      () => createTenant(db, { tenant: secret }),
      () => createTenant(db, { tenant: '' }),
      () => createTenant(db, { tenant, displayName: secret }),
      () => createTenant(db, { tenant, displayName: 's'.repeat(257) }),
      () => setTenantStatus(db, { tenant, status: secret as 'active' }),
      () => findTenant(db, secret),
    ]) {
      expect(await failureOf(act())).toSatisfy(
        (error) => isDomainError(error, 'invalid_input') && !error.message.includes('secret'),
      );
    }
    expect(await findTenant(db, tenant)).toBeUndefined();
  });

  it('is seen by itself alone', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    await createTenant(db, { tenant: mine });
    await withTenant(db, other, async (tx) => {
      expect(await tx.select().from(tenants)).toEqual([]);
      expect(await tx.update(tenants).set({ status: 'archived' }).returning()).toEqual([]);
      expect(await tx.delete(tenants).returning()).toEqual([]);
    });
    expect(await getTenant(db, mine)).toMatchObject({ status: 'active' });
  });
});

describe('listTenants', () => {
  it('gives all tenants by id in pages, none twice, with no cursor behind a full last page', async () => {
    const own = await createTestDatabase();
    const fresh = await connect({ url: own.serviceUrl });
    try {
      expect(await listTenants(fresh)).toEqual({ items: [], nextCursor: undefined });
      for (const tenant of ['d', 'a', 'c', 'b']) await createTenant(fresh, { tenant });
      const first = await listTenants(fresh, { limit: 2 });
      const second = await listTenants(fresh, { limit: 2, cursor: first.nextCursor });
      expect([...first.items, ...second.items].map((item) => item.tenantId)).toEqual(['a', 'b', 'c', 'd']);
      expect(second.nextCursor).toBeUndefined();
      expect(first.items[0]).toEqual(await getTenant(fresh, 'a'));
      expect(await failureOf(listTenants(fresh, { cursor: 'no cursor' }))).toMatchObject({ code: 'invalid_input' });
      expect(await failureOf(listTenants(fresh, { limit: 0 }))).toMatchObject({ code: 'invalid_input' });
    } finally {
      await fresh.close();
      await own.drop();
    }
  });
});
