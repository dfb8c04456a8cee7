// Brings the dependencies with the pnpm that package.json names. Plain JavaScript, because nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What was installed last: the hash of the lockfile, written when pnpm has ended well. */
const stamp = join(root, 'node_modules', '.installed-lockfile');

const lockfileHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');

/**
 * Installs where the lockfile is not what is installed. By npx: corepack's signature check fails on older Node 20 and
 * behind mirrors. The output goes to stderr, because stdout belongs to the command (`--json`).
 * @returns 0, or the exit code of what failed.
 */
export function ensureDependencies() {
  const wanted = lockfileHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 0;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.error(`Installing the dependencies with ${packageManager} …`);
  const installation = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (installation.error !== undefined) console.error(`error: npx did not start: ${installation.error.message}`);
  if (installation.status !== 0) return installation.status ?? 1;
  writeFileSync(stamp, wanted);
  return 0;
}
