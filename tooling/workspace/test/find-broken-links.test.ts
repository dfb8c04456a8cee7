import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findBrokenLinks } from '../src/find-broken-links.ts';

function brokenIn(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'mcp-hub-links-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return findBrokenLinks(root);
}

test('links to files, folders and headings that are there are whole', () => {
  const readme = `# One: \`db:up\`, and [two](docs/two.md)!
## Same
## Same
[a](docs/two.md) ![b](docs/b.png "title") [c](./docs) [d](#same-1) [e](docs/two.md#how-it-s_goes) [f](</docs/two.md>)
[g](#one-dbup-and-two) [h](https://example.com/none.md) [i](mailto:a@example.com) [j]

[j]: docs/two.md#how-it-s_goes
`;
  expect(
    brokenIn({ 'README.md': readme, 'docs/two.md': '# How (it-s_goes)\n[up](../README.md#same)\n', 'docs/b.png': '' }),
  ).toEqual([]);
});

test('a link to no file, to no heading or out of the repository is named with its line', () => {
  const files = {
    'README.md': '# One\n\n[a](none.md) and [b](docs/two.md#none)\n[c](#two)\n[d]: none.png\n',
    'docs/two.md': '```\n# none\n```\n[a](../../out.md)',
  };
  expect(brokenIn(files)).toEqual([
    'README.md:3: none.md leads to no file.',
    'README.md:3: docs/two.md#none leads to no heading.',
    'README.md:4: #two leads to no heading.',
    'README.md:5: none.png leads to no file.',
    'docs/two.md:4: ../../out.md leads out of the repository.',
  ]);
});

test('what stands in code, and what was installed or built, is not looked at', () => {
  const files = {
    'README.md': '```md\n[a](none.md)\n```\n\n`[b](none.md)` and ``a ` [c](none.md)``\n\n~~~\n[d](none.md)\n~~~\n',
    'node_modules/x/README.md': '[a](none.md)',
    'packages/x/dist/README.md': '[a](none.md)',
  };
  expect(brokenIn(files)).toEqual([]);
});
