import { readFileSync } from 'node:fs';
import { checkReadme, runReadme } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';

const folder = new URL('..', import.meta.url);
const readme = new URL('README.md', folder);

it("the README's lines compile, run and print what it says", async () => {
  expect(await runReadme({ readme, folder, environment: {} })).toEqual({
    typeErrors: '',
    exitCode: 0,
    errors: '',
    lines: [
      '0.100 0.0279',
      '0.8889',
      '{ value: 1, thresholds: [ 0.35 ] }',
      "{ value: null, reason: 'All rows are of one class.' }",
      '1',
      expect.stringMatching(/^9\.149\d*e-300 0$/),
    ],
  });
});

it('all its blocks, as one file, compile', async () => {
  expect(await checkReadme({ readme, folder })).toBe('');
});

it("the README's tables name every function", () => {
  const named = new Set(readFileSync(readme, 'utf8').match(/(?<=`)\w+(?=`)/g));
  const functions = Object.entries(exported).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(functions.filter((name) => !named.has(name) && !name.endsWith('StatsError'))).toEqual([]);
});
