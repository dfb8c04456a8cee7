import { createDatabase, databaseUrl, dropDatabase, makeRunName } from '@mcp-hub/postgres';
import { afterAll, beforeAll, inject } from 'vitest';
import type {} from './provided.ts';

export interface TestDatabase {
  /** The owner, who runs migrations. */
  readonly ownerUrl: string;
  /** The login that services use: owns nothing, is a member of the app_* roles once the database is migrated. */
  readonly serviceUrl: string;
  /** A superuser; undefined on a given server whose login is none. */
  readonly adminUrl: string | undefined;
}

export interface TestDatabaseOptions {
  /** False asks for an empty database. */
  readonly migrated?: boolean;
}

/** One more database, inside a test that drops it. */
export async function createTestDatabase(
  o: TestDatabaseOptions = {},
): Promise<TestDatabase & { readonly drop: () => Promise<void> }> {
  const server = inject('mcpHubTestServer');
  const { template } = server;
  if (o.migrated !== false && template === undefined) throw new Error(server.noTemplate);
  const name = makeRunName();
  const { ownerUrl, serviceUrl, adminUrl } = server;
  await createDatabase(ownerUrl, name, o.migrated === false || template === undefined ? {} : { template });
  return {
    ownerUrl: databaseUrl(ownerUrl, name),
    get serviceUrl() {
      if (serviceUrl !== undefined) return databaseUrl(serviceUrl, name);
      throw new Error(
        'The login of TEST_POSTGRES_URL may not make roles, so there is no service login: give it CREATEROLE.',
      );
    },
    adminUrl: adminUrl === undefined ? undefined : databaseUrl(adminUrl, name),
    // The owner may not end the sessions that services left open.
    drop: () => dropDatabase(adminUrl ?? ownerUrl, name),
  };
}

/**
 * A database for all tests of a file: called at its top, made before the first test and dropped after the last, even
 * when sessions are still open on it. The fields can be read inside tests and hooks.
 */
export function useTestDatabase(o: TestDatabaseOptions = {}): TestDatabase {
  let made: Awaited<ReturnType<typeof createTestDatabase>> | undefined;
  beforeAll(async () => {
    made = await createTestDatabase(o);
  });
  afterAll(async () => {
    await made?.drop();
    made = undefined;
  });
  const database = (): TestDatabase => {
    if (made === undefined) throw new Error('The test database is there inside tests and hooks only.');
    return made;
  };
  return {
    get ownerUrl() {
      return database().ownerUrl;
    },
    get serviceUrl() {
      return database().serviceUrl;
    },
    get adminUrl() {
      return database().adminUrl;
    },
  };
}
