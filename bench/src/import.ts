import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packAll } from '@mcp-hub/packing';
import { measure } from './measure.ts';
import { printTable } from './report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Nobody listens there: what connect loads is loaded, and then it fails. */
const connecting = `
  import '@mcp-hub/registry';
  import { connect } from '@mcp-hub/db-core';
  await connect({ url: 'postgresql://nobody@127.0.0.1:1/none', acquireTimeoutMs: 1 }).catch(() => {});
`;

const programs: readonly (readonly [name: string, code: string])[] = [
  ['node alone', ''],
  ...[
    'drizzle-orm/postgres-js',
    '@mcp-hub/db-core/schema',
    '@mcp-hub/db-core',
    '@mcp-hub/registry/schema',
    '@mcp-hub/registry',
  ].map((name) => [name, `import '${name}';`] as const),
  ['and connect, to no server', connecting],
];

/**
 * What importing a packed package costs a service when it starts: whole processes of plain Node, beside an empty one and
 * beside the driver's own import, which our packages do when they connect.
 */
export async function benchImport(): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), 'mcp-hub-import-'));
  try {
    await installPacked(project);
    const measured = await measure(
      programs.map(([name, code]) => ({ name, run: () => start(project, code) })),
      { rounds: 21, warmUp: 2 },
    );
    const empty = measured[0]?.medianMs ?? Number.NaN;
    printTable(
      'import of packed packages, one process each',
      measured.map(({ name, medianMs, p95Ms }) => ({
        import: name,
        'median ms': medianMs,
        'p95 ms': p95Ms,
        'beyond node ms': medianMs - empty,
        aim: name.startsWith('@mcp-hub/') ? '< 150' : '',
      })),
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** As npm would, without the network: what our packages depend on is linked from the workspace. */
async function installPacked(project: string): Promise<void> {
  for (const { name, folder, path } of await packAll(project)) {
    const target = join(project, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    const { status } = spawnSync('tar', ['-xzf', path, '-C', target, '--strip-components=1']);
    if (status !== 0) throw new Error(`${path} could not be unpacked`);
    if (!folder.startsWith('packages/')) continue;
    for (const dependency of ['drizzle-orm', 'postgres', 'postgres-array', 'zod']) link(project, folder, dependency);
  }
}

function link(project: string, folder: string, dependency: string): void {
  const target = join(project, 'node_modules', dependency);
  try {
    symlinkSync(realpathSync(join(root, folder, 'node_modules', dependency)), target, 'dir');
  } catch (error) {
    // Not every package has every dependency, and the first one linked it.
    if (!(error instanceof Error && 'code' in error && ['EEXIST', 'ENOENT'].includes(String(error.code)))) throw error;
  }
}

/** Without NODE_OPTIONS and the bench's own conditions. */
async function start(project: string, code: string): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const ended = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve));
  if (ended !== 0) throw new Error(`the program ended with ${String(ended)}:\n${code}`);
}
