import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

const database = useTestDatabase();
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

it("the README's lines run and print what it says", () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync(path('../README.md'), 'utf8'))?.[1] ?? '';
  // In the package, so that its own name resolves.
  const file = path(`./readme-lines.${process.pid}.mts`);
  writeFileSync(file, code);
  try {
    const run = spawnSync(process.execPath, ['--conditions=@mcp-hub/source', '--import', 'tsx', file], {
      cwd: path('../../..'),
      env: { ...process.env, POSTGRES_SERVICE_URL: database.serviceUrl },
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.stdout.trim().split('\n')).toEqual([
      '2 sha256:2e',
      '1',
      'production -> development bob drift',
      'development -> production ada better on March',
      'null -> development ada null',
      '1',
    ]);
  } finally {
    rmSync(file);
  }
});
