import { fileURLToPath } from 'node:url';
import { grantRuntime, migrate } from '@mcp-hub/migrate';
import { createScratchDatabase, databaseUrl, startTestServer } from '@mcp-hub/postgres';

export interface BenchDatabase {
  readonly kind: string;
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  /** A superuser; undefined on a given server whose login is none. */
  readonly adminUrl: string | undefined;
  end(): Promise<void>;
}

/** A migrated database of its own: in TEST_POSTGRES_URL, Docker or an embedded server that ends with the run. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const givenUrl = process.env['TEST_POSTGRES_URL'];
  const server = await startTestServer(givenUrl === undefined ? {} : { givenUrl });
  const { serviceUrl, adminUrl } = server;
  if (serviceUrl === undefined) throw new Error('The bench needs a service login: give the owner CREATEROLE.');
  const scratch = await migratedDatabase(server.ownerUrl, serviceUrl);
  const name = new URL(scratch.url).pathname.slice(1);
  return {
    kind: server.kind,
    ownerUrl: scratch.url,
    serviceUrl: databaseUrl(serviceUrl, name),
    adminUrl: adminUrl === undefined ? undefined : databaseUrl(adminUrl, name),
    end: async () => {
      await scratch.drop();
      await server.stop();
    },
  };
}

async function migratedDatabase(ownerUrl: string, serviceUrl: string) {
  const scratch = await createScratchDatabase(ownerUrl);
  await migrate({ url: scratch.url, directory: fileURLToPath(new URL('../../migrations', import.meta.url)) });
  await grantRuntime({ url: scratch.url, login: new URL(serviceUrl).username });
  return scratch;
}

/** Another database of the same server, so that both have the same share of it. Ends with the server. */
export async function anotherDatabase(
  database: BenchDatabase,
): Promise<Pick<BenchDatabase, 'ownerUrl' | 'serviceUrl'>> {
  const { url } = await migratedDatabase(database.ownerUrl, database.serviceUrl);
  return { ownerUrl: url, serviceUrl: databaseUrl(database.serviceUrl, new URL(url).pathname.slice(1)) };
}
