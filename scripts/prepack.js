// Runs before a package is packed, in its folder: builds it, takes out of dist what has no source any more (`tsc -b` leaves
// it there, and it would be published), and makes few files of many, which import faster.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { root } from './dependencies.js';
import { runTool } from './run.js';

const folder = process.cwd();

process.exitCode = await runTool('tsc', ['-b', folder]);
removeStale();
const { publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
if (process.exitCode === 0 && publishConfig.exports['.'].default.startsWith('./bundle/')) {
  // Loaded now: dependencies are there since the build.
  const { bundle } = await import('./bundle.js');
  await bundle(folder);
}
// The runner carries the migrations; kit's snapshots are for composing them.
if (relative(root, folder) === join('tooling', 'migrate')) await copyMigrations();

function removeStale() {
  const stem = (path) => path.replace(/(\.d)?\.[jt]s(\.map)?$/, '');
  const sources = new Set(filesBelow(join(folder, 'src')).map((path) => stem(relative(join(folder, 'src'), path))));
  for (const path of filesBelow(join(folder, 'dist'))) {
    const name = relative(join(folder, 'dist'), path);
    if (name !== '.tsbuildinfo' && !sources.has(stem(name))) rmSync(path);
  }
}

async function copyMigrations() {
  const target = join(folder, 'migrations');
  await rm(target, { recursive: true, force: true });
  await cp(join(root, 'migrations'), target, {
    recursive: true,
    filter: (source) => relative(join(root, 'migrations'), source) !== 'meta',
  });
}

function filesBelow(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
