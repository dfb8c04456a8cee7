// Runs a TypeScript program or an installed tool of this repository, after its dependencies have been brought.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDependencies, root } from './dependencies.js';

// The root package has no dependencies of its own, so that `npm install` finds nothing to do there.
const workspace = join(root, 'tooling', 'workspace');
const bin = join(workspace, 'node_modules', '.bin');

/** Runs a program of the repository from its source and gives its exit code. */
export async function runProgram(path, parameters) {
  const installed = ensureDependencies();
  if (installed !== 0) return installed;
  const tsx = pathToFileURL(createRequire(join(workspace, 'package.json')).resolve('tsx')).href;
  return await run(process.execPath, [
    '--conditions=@mcp-hub/source',
    '--import',
    tsx,
    join(root, path),
    ...parameters,
  ]);
}

/** Runs a tool by its name, such as vitest or biome, and gives its exit code. */
export async function runTool(name, parameters) {
  const installed = ensureDependencies();
  if (installed !== 0) return installed;
  return await run(join(bin, name), parameters, process.platform === 'win32');
}

/** A signal that ends this process ends the child too. */
async function run(command, parameters, shell = false) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  const child = spawn(command, parameters, { cwd: root, stdio: 'inherit', env, shell });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}
