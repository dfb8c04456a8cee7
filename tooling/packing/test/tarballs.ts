import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { expect, it } from 'vitest';
import { root } from '../src/published.ts';
import { runCommand, runOrThrow } from '../src/run-command.ts';
import type { Tarballs } from './support.ts';

const timeout = 60_000;
const attw = join(root, 'tooling/packing/node_modules/.bin/attw');

/** What each tarball holds, and what two tools that read packages say of it. */
export function testTarball(tarballs: Tarballs, name: string): void {
  const entries = async () =>
    (await runOrThrow('tar', ['-tzf', tarballs.of(name).path], { cwd: root }))
      .trim()
      .split('\n')
      .map((entry) => entry.replace(/^package\//, ''));
  const read = (entry: string) =>
    runOrThrow('tar', ['-xzOf', tarballs.of(name).path, `package/${entry}`], { cwd: root });

  it('holds the licence, the README, and each source beside what was built of it', async () => {
    const files = await entries();
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.d.ts', 'src/index.ts']),
    );
    const stem = (file: string) => file.replace(/^(dist|src)\//, '').replace(/(\.d)?\.[jt]s(\.map)?$/, '');
    const sources = new Set(files.filter((file) => file.startsWith('src/')).map(stem));
    expect(files.filter((file) => file.startsWith('dist/') && !sources.has(stem(file)))).toEqual([]);
    // Folders of tests and files that are tests; `welch-test.ts` of stats is a test of another kind.
    expect(files.filter((file) => /(^|\/)(dist-)?test\/|\.test\.|tsbuildinfo/.test(file))).toEqual([]);
  });

  it('asks the registry for versions, and not for what only the workspace knows', async () => {
    const text = await read('package.json');
    expect(text).not.toMatch(/workspace:|catalog:|@mcp-hub\/source/);
    const { license } = JSON.parse(text) as { license?: string };
    expect(license).toBe('Apache-2.0');
  });

  it('is clean for publint', async () => {
    const { messages } = await publint({ strict: true, pack: { tarball: bytesOf(tarballs.of(name).path) } });
    expect(messages).toEqual([]);
  });

  it('is clean for arethetypeswrong as a package of ES modules', { timeout }, async () => {
    const { code, stdout, stderr } = await runCommand(
      attw,
      [tarballs.of(name).path, '--profile', 'esm-only', '--no-color', '--no-emoji'],
      { cwd: root },
    );
    expect(code === 0 ? '' : stdout + stderr).toBe('');
  });
}

function bytesOf(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer;
}
