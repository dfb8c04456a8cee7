// Makes the few files of a package that a service loads: reading many modules is most of what an import takes.
import { cp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './dependencies.js';

const { build } = createRequire(join(root, 'tooling', 'workspace', 'package.json'))('esbuild');

/** The entry of db-core that holds zod. */
const zodEntry = './zod';

/**
 * One file an entry, what they share, and what is loaded on demand. What the package depends on stays outside, so that
 * there is one copy of it, but for zod: our packages load it from one file of db-core.
 */
export async function bundle(folder) {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const target = join(folder, 'bundle');
  await rm(target, { recursive: true, force: true });
  const options = { bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' };
  const source = (entry) => join(folder, manifest.exports[entry]['@mcp-hub/source']);
  const ownsZod = zodEntry in manifest.exports;
  await build({
    ...options,
    entryPoints: Object.keys(manifest.exports)
      .filter((entry) => entry !== zodEntry)
      .map(source),
    outdir: target,
    splitting: true,
    sourcemap: true,
    sourcesContent: false,
    plugins: [dependenciesOutside(folder, ownsZod ? './zod.js' : `@mcp-hub/db-core/zod`)],
  });
  if (!ownsZod) return;
  await build({
    ...options,
    entryPoints: [source(zodEntry)],
    outdir: target,
    minify: true,
    plugins: [englishOnly],
  });
  await cp(join(folder, 'node_modules/zod/LICENSE'), join(target, 'zod.LICENSE.txt'));
}

function dependenciesOutside(folder, zod) {
  return {
    name: 'dependencies-outside',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, kind, pluginData }) => {
        if (kind === 'entry-point') return undefined;
        if (path === 'zod') return { path: zod, external: true };
        const isBarrel = path === 'drizzle-orm' || path === 'drizzle-orm/pg-core';
        if (isBarrel && pluginData !== 'module') return { path, namespace: 'barrel', sideEffects: false };
        return { path, external: true, sideEffects: path.startsWith('drizzle-orm') ? false : undefined };
      });
      onLoad({ filter: /.*/, namespace: 'barrel' }, async ({ path }) => ({
        contents: await narrowed(folder, path),
        resolveDir: folder,
        pluginData: 'module',
      }));
    },
  };
}

/**
 * A barrel of drizzle-orm with each name from the module that makes it, which drizzle-orm exports, too: the modules are
 * the same for who imports the barrel, and those that nobody here asks for are not read.
 */
async function narrowed(folder, barrel) {
  const drizzle = join(folder, 'node_modules', 'drizzle-orm');
  const { exports } = JSON.parse(await readFile(join(drizzle, 'package.json'), 'utf8'));
  const seen = new Set();
  const lines = [];
  for (const file of await modulesOf(join(drizzle, exports[subpath(barrel)].import.default))) {
    const path = `./${relative(drizzle, file)}`;
    const entry = Object.keys(exports).find((key) => exports[key].import?.default === path);
    const names = Object.keys(await import(pathToFileURL(file).href)).filter((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    const from = entry === undefined ? barrel : entry.replace('.', 'drizzle-orm');
    // A line each: those that nobody asks for fall away, and another version of drizzle-orm need not have them.
    for (const name of names) lines.push(`export { ${name} } from '${from}';`);
  }
  return lines.join('\n');
}

const subpath = (specifier) => specifier.replace('drizzle-orm', '.');

/** The modules behind a file, which is one itself where it does more than to export others whole. */
async function modulesOf(file) {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('//'));
  const whole = lines.map((line) => /^export \* from "(\.[^"]+)";$/.exec(line)?.[1]);
  if (whole.includes(undefined)) return [file];
  return (await Promise.all(whole.map((path) => modulesOf(join(dirname(file), path))))).flat();
}

/** The texts of zod's errors in other languages are half of it. Who wants one sets it by zod itself, for this copy too. */
const englishOnly = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};
