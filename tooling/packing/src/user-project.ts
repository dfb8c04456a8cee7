import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, runCommand, runOrThrow } from './run-command.ts';

/** A project as a user of the packages has one: outside of the repository, with plain npm. */
export interface UserProject {
  readonly path: string;
  /** `node_modules/…` of every installed package, also of those inside others, with its version. */
  readonly installed: ReadonlyMap<string, string>;
  write(file: string, text: string): void;
  run(program: string, parameters: readonly string[], options?: Omit<CommandOptions, 'cwd'>): Promise<CommandResult>;
  remove(): void;
}

/** Installs tarballs (paths) and packages of the registry (`typescript@7.0.2`) into an empty project. */
export async function createUserProject(packages: readonly string[]): Promise<UserProject> {
  const path = mkdtempSync(join(tmpdir(), 'mcp-hub-user-'));
  const remove = () => rmSync(path, { recursive: true, force: true });
  try {
    const write = (file: string, text: string) => writeFileSync(join(path, file), text);
    write('package.json', `${JSON.stringify({ name: 'user', private: true, type: 'module' }, undefined, 2)}\n`);
    await runOrThrow('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
      cwd: path,
      timeoutMs: 150_000,
    });
    return {
      path,
      installed: readInstalled(path),
      write,
      run: (program, parameters, options = {}) => runCommand(program, parameters, { ...options, cwd: path }),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function readInstalled(path: string): ReadonlyMap<string, string> {
  const lock = JSON.parse(readFileSync(join(path, 'node_modules/.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  return new Map(Object.entries(lock.packages).map(([place, { version }]) => [place, version]));
}
