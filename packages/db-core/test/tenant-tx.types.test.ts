import { drizzle } from 'drizzle-orm/postgres-js';
import { describe, expect, it } from 'vitest';
import { type Database, type TenantTx, tenantOf, tenants, withTenant } from '../src/index.ts';

declare const db: Database;
declare const typed: Database<{ tenants: typeof tenants }>;
const countTenants = (tx: TenantTx) => tx.$count(tenants);

/** Compiled and never run: what must and must not compile. */
export const compiled = {
  aHandleOfWithTenantFits: () => withTenant(db, 'a', (tx) => countTenants(tx)),
  soDoesOneWithASchema: () => withTenant(typed, 'a', (tx) => countTenants(tx)),
  soDoesASavepoint: () => withTenant(db, 'a', (tx) => tx.transaction((nested) => countTenants(nested))),
  // @ts-expect-error Drizzle's own database has no tenant
  plainDrizzleDoesNot: () => countTenants(drizzle('postgresql://u:p@127.0.0.1:1/x')),
  plainTransactionDoesNot: () =>
    // @ts-expect-error nor has its transaction
    drizzle('postgresql://u:p@127.0.0.1:1/x').transaction((tx) => countTenants(tx)),
  // @ts-expect-error the pool has no query methods
  thePoolRunsNothing: () => db.select(),
  // @ts-expect-error and hides its client
  theClientIsHidden: () => withTenant(db, 'a', async (tx) => tx.$client),
};

describe('a function that takes a TenantTx', () => {
  it('refuses at run time what got past the compiler', () => {
    const forged = drizzle('postgresql://u:p@127.0.0.1:1/x') as unknown as TenantTx;
    expect(() => tenantOf(forged)).toThrow('withTenant');
  });
});
