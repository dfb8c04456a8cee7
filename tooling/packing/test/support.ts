import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { packAll, type Tarball } from '../src/pack.ts';
import { root } from '../src/published.ts';
import type { UserProject } from '../src/user-project.ts';

/** The first TypeScript block of a README. */
export function readmeLines(readme: string): string {
  const lines = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, readme), 'utf8'))?.[1];
  if (lines === undefined) throw new Error(`${readme} has no TypeScript block`);
  return lines;
}

/** What a project needs to type-check, beside the packages. */
export const typeTools: readonly string[] = ['typescript@7.0.2', '@types/node@20.19.11'];

export function withoutTypeTools(installed: ReadonlyMap<string, string>): string[] {
  return [...installed.keys()].filter((place) => !/node_modules\/(@?typescript|@types|undici-types)\b/.test(place));
}

export interface Tarballs {
  of(name: string): Tarball;
}

/** Everything that is published, packed once before the tests. */
export function useTarballs(): Tarballs {
  let folder = '';
  let tarballs: readonly Tarball[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-hub-tarballs-'));
    tarballs = await packAll(folder);
  }, 300_000);
  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });
  return {
    of(name) {
      const found = tarballs.find((tarball) => tarball.name === name);
      if (found === undefined) throw new Error(`${name} was not packed`);
      return found;
    },
  };
}

/** Compiles lines by the user's tsc, runs them under plain Node on a database of their own, and holds what they print. */
export async function expectLines(
  project: UserProject,
  name: string,
  code: string,
  expected: readonly unknown[],
): Promise<void> {
  project.write(`${name}.ts`, code);
  project.write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, skipLibCheck: true, types: ['node'] },
      files: [`${name}.ts`],
    }),
  );
  const compiled = await project.run('npx', ['tsc', '-p', '.']);
  expect(compiled.stdout).toBe('');
  const database = await createTestDatabase();
  try {
    const run = await project.run('node', [`${name}.js`], { env: { POSTGRES_SERVICE_URL: database.serviceUrl } });
    expect(run.stderr).toBe('');
    expect(run.stdout.trim().split('\n')).toEqual(expected);
  } finally {
    await database.drop();
  }
}
