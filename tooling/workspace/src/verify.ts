import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// `pnpm verify [--no-tests]`: everything that must hold before a change lands, cheap first.
const root = fileURLToPath(new URL('../../..', import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { packageManager: string };
const withTests = !process.argv.includes('--no-tests');

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const steps: readonly Step[] = [
  {
    // Turbo runs these in the order of turbo.json and skips what has not changed. It calls pnpm, which is on its PATH
    // only where pnpm itself started it.
    name: 'format, import direction, links, lint, types of source and dist, API reports, unused code',
    command: ['npx', '--yes', packageManager, 'exec', 'turbo', 'run', 'check:unused', '--output-logs=new-only'],
  },
  // What a database and tests say is never taken from a cache.
  { name: 'schemas, migrations and database agree', command: [process.execPath, 'scripts/db.js', 'check'] },
  ...(withTests ? [{ name: 'tests', command: [process.execPath, 'scripts/test.js'] } satisfies Step] : []),
];

for (const { name, command } of steps) {
  console.log(`\n▸ ${name}`);
  const [program, ...parameters] = command;
  const start = performance.now();
  const env = { ...process.env, DO_NOT_TRACK: '1', TURBO_TELEMETRY_DISABLED: '1' };
  const { status } = spawnSync(program, parameters, { cwd: root, stdio: 'inherit', env });
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (status !== 0) {
    process.exitCode = status ?? 1;
    break;
  }
}
