import { ensureLogins, loginUrls, makeLogins } from './logins.ts';
import type { PostgresMajor } from './major.ts';
import type { TestServer } from './test-server.ts';

/**
 * Starts the official image of that major. Its own user is a superuser, for whom row level security does not hold, so
 * that the owner is made in it. Testcontainers' reaper removes the container when this process dies.
 */
export async function startContainerTestServer(major: PostgresMajor): Promise<TestServer> {
  // Only here: the library takes half a second to load, and most runs do not need it.
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const logins = makeLogins();
  const container = await new PostgreSqlContainer(`postgres:${major}`)
    .withUsername('postgres')
    .withPassword(logins.postgres)
    .withDatabase('postgres')
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200'])
    .start();
  const stop = async () => {
    await container.stop();
  };
  try {
    const urls = loginUrls(logins, container.getPort(), container.getHost());
    await ensureLogins(logins, urls.adminUrl);
    return { kind: 'container', ...urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
