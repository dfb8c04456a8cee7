import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { barrier, checkReadme, failureOf, runReadme } from '../src/index.ts';

describe('failureOf', () => {
  it('gives what a promise is rejected with, be it no error', async () => {
    const failure = new Error('no');
    expect(await failureOf(Promise.reject(failure))).toBe(failure);
    expect(await failureOf(Promise.reject(undefined))).toBeUndefined();
  });

  it('fails where there is no failure', async () => {
    await expect(failureOf(Promise.resolve(1))).rejects.toThrow('Expected a failure and got 1');
  });
});

describe('barrier', () => {
  it('opens when all have arrived, or when it is told to', async () => {
    const passed: string[] = [];
    const [three, told] = [barrier(3), barrier(3)];
    const waiting = Promise.all([
      three.passed.then(() => passed.push('three')),
      told.passed.then(() => passed.push('told')),
    ]);
    three.arrive();
    three.arrive();
    await Promise.resolve();
    expect(passed).toEqual([]);
    three.arrive();
    await three.passed;
    expect(passed).toEqual(['three']);
    told.open();
    await waiting;
    expect(passed).toEqual(['three', 'told']);
  });
});

describe('the lines of a README', () => {
  const folder = new URL('..', import.meta.url);
  const readmeOf = (...blocks: readonly string[]) => {
    const made = mkdtempSync(join(tmpdir(), 'mcp-hub-readme-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    const file = join(made, 'README.md');
    writeFileSync(file, blocks.map((block) => `Text.\n\n\`\`\`ts\n${block}\n\`\`\`\n`).join('\n'));
    return pathToFileURL(file);
  };
  const run = (...blocks: readonly string[]) =>
    runReadme({ readme: readmeOf(...blocks), folder, environment: { NAME: 'of a test' } });

  it('run in the package, with nothing of the environment but what they are given', async () => {
    const lines = `import { freshTenant } from '@mcp-hub/testing';
console.log(process.env.NAME, process.env.VITEST);
console.log(typeof freshTenant);`;
    expect(await run(lines, 'console.log(3);')).toEqual({
      typeErrors: '',
      exitCode: 0,
      errors: '',
      lines: ['of a test undefined', 'function'],
    });
  });

  it('fail to compile under the rules of the repository', async () => {
    const strict = await run('const url: string = process.env.NAME;\nconsole.log(url);');
    expect(strict.typeErrors).toMatch(/^readme\.ts\(1,7\): error TS2322/);
    expect(strict.lines).toEqual(['of a test']);
    const readme = readmeOf('export const one: number = 1;', "export const two: number = one + 'x';");
    expect(await checkReadme({ readme, folder })).toMatch(/^readme\.ts\(3,14\): error TS2322/);
  });

  it('show what they throw', async () => {
    expect(await run("throw new Error('on purpose');")).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('on purpose'),
    });
  });

  it('are missed where there are none', async () => {
    expect(await failureOf(run())).toMatchObject({ message: expect.stringContaining('has no TypeScript block') });
  });
});
