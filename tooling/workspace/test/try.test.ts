import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useTestDatabase } from '@mcp-hub/testing';
import { expect, onTestFinished, test } from 'vitest';

const database = useTestDatabase();
const root = fileURLToPath(new URL('../../..', import.meta.url));

function tryFile(cwd: string, ...parameters: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, 'scripts', 'try.js'), ...parameters], {
    encoding: 'utf8',
    env: {
      ...process.env,
      INIT_CWD: cwd,
      POSTGRES_URL: database.ownerUrl,
      POSTGRES_SERVICE_URL: database.serviceUrl,
    },
  });
  return { stdout, stderr, status };
}

test('npm run try runs the thirty lines of the README from wherever they were written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-try-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [, lines = ''] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  writeFileSync(join(folder, 'use.mts'), lines);
  expect(tryFile(folder, 'use.mts')).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/^true\nNo version answers to this reference.*\n$/),
  });
});

test('npm run try hands the exit code on, and asks for a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-try-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'code.mts'), 'process.exitCode = Number(process.argv[2]);');
  expect(tryFile(folder, 'code.mts', '7').status).toBe(7);
  expect(tryFile(folder, 'nowhere.ts')).toMatchObject({ status: 2, stderr: expect.stringContaining('does not exist') });
  expect(tryFile(folder)).toMatchObject({ status: 2, stderr: expect.stringContaining('npm run try -- FILE.ts') });
});

test('npm run try finds every package by its name, and says which file asked for one that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-try-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const packages = readdirSync(join(root, 'packages')).map((name) => `import '@mcp-hub/${name}';`);
  writeFileSync(join(folder, 'all.ts'), [...packages, "import 'zod';", 'await Promise.resolve();'].join('\n'));
  expect(tryFile(folder, 'all.ts')).toMatchObject({ status: 0, stderr: '' });
  writeFileSync(join(folder, 'none.ts'), "import '@mcp-hub/nothing';");
  expect(tryFile(folder, 'none.ts')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/imported from .*none\.ts/),
  });
});
