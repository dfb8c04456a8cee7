import { connect, type Database, type TenantOptions, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll } from 'vitest';

export interface Experiments {
  readonly db: Database;
  /** Owns the tables; subject to row level security as everyone. */
  readonly ownerUrl: string;
  /** The login that services use. */
  readonly serviceUrl: string;
  readonly run: <Result>(
    tenant: string,
    work: (tx: TenantTx) => Promise<Result>,
    options?: TenantOptions,
  ) => Promise<Result>;
}

/** A migrated database for the tests of one file, entered through the login that services use. */
export function useExperiments(): Experiments {
  const database = useTestDatabase();
  let opened: Database | undefined;
  beforeAll(async () => {
    opened = await connect({ url: database.serviceUrl, max: 8, requireUnprivileged: true, lockTimeoutMs: 10_000 });
  });
  afterAll(async () => {
    await opened?.close();
  });
  const db = () => {
    if (opened === undefined) throw new Error('The database is there inside tests and hooks only.');
    return opened;
  };
  return {
    get db() {
      return db();
    },
    get ownerUrl() {
      return database.ownerUrl;
    },
    get serviceUrl() {
      return database.serviceUrl;
    },
    run: (tenant, work, options) => withTenant(db(), tenant, work, options),
  };
}
