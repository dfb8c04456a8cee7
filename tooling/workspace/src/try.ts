import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MigrateError } from '@mcp-hub/migrate/repository';
import { root, runOnDatabase } from './run-on-database.ts';

// `npm run try -- FILE.ts`: a file that imports the packages, run from their source on the local server.
async function main([file, ...parameters]: readonly string[]): Promise<number> {
  // npm runs scripts in the root, and says where it was called.
  const path = resolve(process.env['INIT_CWD'] ?? process.cwd(), file ?? '');
  if (file === undefined || !existsSync(path)) {
    console.error(`error: ${file === undefined ? 'Name a file' : `${file} does not exist`}: npm run try -- FILE.ts`);
    return 2;
  }
  const hooks = pathToFileURL(`${root}/scripts/try-hooks.js`).href;
  return await runOnDatabase(path, parameters, ['--import', hooks]);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof MigrateError)) throw error;
  console.error(`error: ${error.message}`);
  return error.exitCode;
});
