import { afterAll, beforeAll } from 'vitest';
import { type TestDatabase, useTestDatabase } from './test-database.ts';

interface ServiceOptions {
  readonly url: string;
  readonly max: number;
  readonly requireUnprivileged: boolean;
  readonly lockTimeoutMs: number;
}

/** The functions of db-core by which a service works, given so that this package needs none. */
export interface ServiceFunctions<Db, Tx, Options> {
  readonly connect: (options: ServiceOptions) => Promise<Db>;
  /** `withTenant`. */
  readonly enter: <Result>(
    db: Db,
    tenant: string,
    work: (tx: Tx) => Promise<Result>,
    options?: Options,
  ) => Promise<Result>;
}

export interface Service<Db, Tx, Options> extends TestDatabase {
  readonly db: Db;
  /** `withTenant` on `db`. */
  readonly run: <Result>(tenant: string, work: (tx: Tx) => Promise<Result>, options?: Options) => Promise<Result>;
}

/** A migrated database for the tests of one file, entered through the login that services use. */
export function useService<Db extends { close(): Promise<void> }, Tx, Options>({
  connect,
  enter,
}: ServiceFunctions<Db, Tx, Options>): Service<Db, Tx, Options> {
  const database = useTestDatabase();
  let opened: Db | undefined;
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
    get adminUrl() {
      return database.adminUrl;
    },
    run: (tenant, work, options) => enter(db(), tenant, work, options),
  };
}
