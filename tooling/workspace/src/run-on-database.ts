import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findRepositoryTarget } from '@mcp-hub/migrate/repository';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs a program as a service of this checkout's database, with POSTGRES_SERVICE_URL set, and gives its exit code. */
export async function runOnDatabase(
  file: string,
  parameters: readonly string[],
  flags: readonly string[] = [],
): Promise<number> {
  const target = await findRepositoryTarget(root);
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...flags, file, ...parameters], {
    stdio: 'inherit',
    env: { ...process.env, POSTGRES_SERVICE_URL: target.serviceUrl ?? target.ownerUrl },
  });
  return status ?? 1;
}
