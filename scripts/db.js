// Runs a db:* command: `node scripts/db.js migrate --dry-run`. Brings the dependencies first where they are missing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** pnpm writes .modules.yaml at the end of an installation. Its output goes to stderr: stdout belongs to `--json`. */
function ensureDependencies() {
  if (existsSync(join(root, 'node_modules', '.modules.yaml'))) return 0;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const installation = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (installation.error !== undefined) console.error(`error: npx did not start: ${installation.error.message}`);
  return installation.status ?? 1;
}

/** Gives the exit code of the command; a signal that ends this program ends the command too. */
export async function runDatabaseCommand(parameters) {
  const installed = ensureDependencies();
  if (installed !== 0) return installed;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const program = join(root, 'tooling', 'migrate', 'src', 'bin.ts');
  const child = spawn(process.execPath, ['--conditions=@mcp-hub/source', '--import', tsx, program, ...parameters], {
    cwd: root,
    stdio: 'inherit',
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  process.exitCode = await runDatabaseCommand(process.argv.slice(2));
}
