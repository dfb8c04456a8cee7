import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { runProgram } from './run-program.ts';

const database = useTestDatabase();
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

it('the lines of use in the README run and print what they say', async () => {
  const [, lines] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  // Inside this package, so that its imports are found.
  const folder = mkdtempSync(fileURLToPath(new URL('../readme-', import.meta.url)));
  try {
    writeFileSync(join(folder, 'use.ts'), lines ?? '');
    const { code, output } = await runProgram(join(folder, 'use.ts'), [], {
      POSTGRES_SERVICE_URL: database.serviceUrl,
    });
    expect({ code, lines: output.trim().split('\n') }).toEqual({
      code: 0,
      lines: ['true', expect.stringMatching(/.+/)],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
