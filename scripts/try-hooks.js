// Lets a file anywhere import every package of the checkout by its name, and what the packages depend on.
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Registered by the program itself; Node reads this file again on the thread of the hooks.
if (isMainThread) register(import.meta.url);

const packages = new URL('../packages/', import.meta.url);

// The root has no dependencies. A package finds itself by its own name, and drizzle-orm, postgres and zod beside it.
function importerOf(specifier) {
  const [, name = 'db-core'] = /^@mcp-hub\/([^/]+)/.exec(specifier) ?? [];
  const manifest = new URL(`${name}/package.json`, packages);
  return existsSync(manifest) ? manifest.href : undefined;
}

export async function resolve(specifier, context, nextResolve) {
  const found = await find(specifier, context, nextResolve);
  // Where no package.json says so, a file with an import and an await at its top is a module nevertheless.
  const isProgram = found.url.startsWith('file:') && found.url.endsWith('.ts');
  return isProgram ? { ...found, format: 'module' } : found;
}

async function find(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    const parentURL = /^[./]|^[a-z]+:/.test(specifier) ? undefined : importerOf(specifier);
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || parentURL === undefined) throw error;
    // What is not there either is told of the file that asked for it.
    return await nextResolve(specifier, { ...context, parentURL }).catch(() => Promise.reject(error));
  }
}
