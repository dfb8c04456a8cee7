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
  const scratch = await createScratchDatabase(server.ownerUrl);
  const { serviceUrl, adminUrl } = server;
  if (serviceUrl === undefined) throw new Error('The bench needs a service login: give the owner CREATEROLE.');
  await migrate({ url: scratch.url, directory: fileURLToPath(new URL('../../migrations', import.meta.url)) });
  await grantRuntime({ url: scratch.url, login: new URL(serviceUrl).username });
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
