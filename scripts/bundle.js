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
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [text, names, barrel] of contents.matchAll(barrelImport)) {
          const imports = narrowed(names, await placesIn(folder, barrel));
          // On as many lines as before, for the source map.
          contents = contents.replace(text, imports + text.replaceAll(/[^\n]/g, ''));
        }
        return { contents, loader: 'ts' };
      });
      onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined;
        // What does nothing by being imported is imported for its names alone.
        const sideEffects = path === 'zod' || path.startsWith('drizzle-orm') ? false : undefined;
        return { path: path === 'zod' ? zod : path, external: true, sideEffects };
      });
    },
  };
}

const barrelImport = /^import \{([^}]+)\} from '(drizzle-orm(?:\/pg-core)?)';$/gm;

/** An import from a barrel as imports from the modules that make its names. Types fall away. */
function narrowed(names, places) {
  const imports = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => `import { ${name} } from '${places.get(name.split(' as ')[0])}';`);
  return imports.join(' ');
}

/**
 * Where each name of a barrel of drizzle-orm is made, as drizzle-orm exports it, too: these modules are the same for who
 * imports the barrel, and those that nobody here asks for are not read.
 */
async function placesIn(folder, barrel) {
  const drizzle = join(folder, 'node_modules', 'drizzle-orm');
  const { exports } = JSON.parse(await readFile(join(drizzle, 'package.json'), 'utf8'));
  const places = new Map();
  const { default: start } = exports[barrel.replace('drizzle-orm', '.')].import;
  for (const file of await modulesOf(join(drizzle, start))) {
    const path = `./${relative(drizzle, file)}`;
    const entry = Object.keys(exports).find((key) => exports[key].import?.default === path);
    for (const name of Object.keys(await import(pathToFileURL(file).href))) {
      if (!places.has(name)) places.set(name, entry === undefined ? barrel : entry.replace('.', 'drizzle-orm'));
    }
  }
  return places;
}

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
