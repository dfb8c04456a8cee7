import { fileURLToPath } from 'node:url';
import { parsePostgresMajor, startTestServer } from '@mcp-hub/postgres';
import type { TestProject } from 'vitest/node';
import type {} from './provided.ts';
import { buildTemplate, migrationFiles } from './template.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

/**
 * Starts one server for the run (TEST_POSTGRES_URL, Docker or embedded of PG_MAJOR) and one migrated template in it.
 * Migrations that fail do not keep tests from running that need none: whoever asks for a migrated database is told.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const givenUrl = process.env['TEST_POSTGRES_URL'];
  const server = await startTestServer({
    major: parsePostgresMajor(process.env['PG_MAJOR']),
    onNotice: (notice) => console.warn(notice),
    ...(givenUrl === undefined || givenUrl === '' ? {} : { givenUrl }),
  });
  const { ownerUrl, serviceUrl, adminUrl } = server;
  let template: string | undefined;
  let noTemplate = '';
  try {
    const files = migrationFiles(MIGRATIONS);
    if (files.length === 0) noTemplate = `There are no migrations in ${MIGRATIONS} yet.`;
    else {
      template = await buildTemplate({ ownerUrl, directory: MIGRATIONS, files });
      if (serviceUrl !== undefined) await makeMember(ownerUrl, serviceUrl);
    }
  } catch (error) {
    template = undefined;
    noTemplate = `The migrations could not be applied: ${error instanceof Error ? error.message : String(error)}`;
    console.error(noTemplate);
  }
  project.provide('mcpHubTestServer', { ownerUrl, serviceUrl, adminUrl, template, noTemplate });
  return server.stop;
}

/** Roles belong to the cluster, so that one call serves all test databases. */
async function makeMember(ownerUrl: string, serviceUrl: string): Promise<void> {
  const { grantRuntime } = await import('@mcp-hub/migrate');
  await grantRuntime({ url: ownerUrl, login: decodeURIComponent(new URL(serviceUrl).username) });
}
