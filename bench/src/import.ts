import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { measure } from './measure.ts';
import { printTable } from './report.ts';

const bench = fileURLToPath(new URL('..', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

const modules = [
  undefined,
  'drizzle-orm/postgres-js',
  '@mcp-hub/db-core/schema',
  '@mcp-hub/db-core',
  '@mcp-hub/registry/schema',
  '@mcp-hub/registry',
] as const;

/**
 * What importing a package costs a service when it starts: whole processes of plain Node with the built packages, as the
 * tarballs hold them, beside an empty process and beside the driver's own import.
 */
export async function benchImport(): Promise<void> {
  const built = spawnSync(process.execPath, ['scripts/tool.js', 'tsc', '-b', 'packages/registry'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (built.status !== 0) throw new Error('The packages do not build.');
  const measured = await measure(
    modules.map((name) => ({ name: name ?? 'node alone', run: () => start(name) })),
    { rounds: 21, warmUp: 2 },
  );
  const empty = measured[0]?.medianMs ?? Number.NaN;
  printTable(
    'import, one process each',
    measured.map(({ name, medianMs, p95Ms }) => ({
      import: name,
      'median ms': medianMs,
      'p95 ms': p95Ms,
      'beyond node ms': medianMs - empty,
      aim: name.startsWith('@mcp-hub/') ? '< 150' : '',
    })),
  );
}

/** Without NODE_OPTIONS and the bench's own conditions, so that `default` of exports is what it finds. */
async function start(name: string | undefined): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', name === undefined ? '' : `import '${name}';`],
    { cwd: bench, stdio: ['ignore', 'ignore', 'inherit'], env },
  );
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve));
  if (code !== 0) throw new Error(`import of ${name ?? 'nothing'} ended with ${String(code)}`);
}
