import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { exitCodes, MigrateError } from './errors.ts';

type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** The server that a checkout of the repository runs for itself. */
interface LocalDatabase {
  readonly ownerUrl: string;
  readonly serviceUrl: string;
}

/** What `.env` or `.env.NAME` says, and the project it lies in. */
export interface Environment {
  readonly root: string;
  /** The folder `migrations/`. */
  readonly directory: string;
  /** As given by `--env`; undefined for the development environment. */
  readonly name: string | undefined;
  readonly production: boolean;
  /** The file that was read; undefined when there is none. */
  readonly file: string | undefined;
  readonly variables: EnvironmentVariables;
  /** Finds the running local server; undefined outside of the repository, which alone has one. */
  readonly findLocal: (() => Promise<LocalDatabase | undefined>) | undefined;
}

export interface EnvironmentOptions {
  readonly name?: string | undefined;
  /** The project's root; else the nearest folder above `cwd` with pnpm-workspace.yaml, else with migrations/. */
  readonly directory?: string | undefined;
  readonly cwd?: string;
  readonly processEnvironment?: EnvironmentVariables;
  /** The migrations to use when no `directory` is given: those of an installed package. */
  readonly migrations?: string | undefined;
  readonly findLocal?: ((root: string) => Promise<LocalDatabase | undefined>) | undefined;
}

/**
 * Reads the environment. Without a name: `.env` where there is one, and the process environment over it. With a name the
 * file has to be there and what it says holds, so that a variable of the shell cannot send a named command elsewhere.
 */
export function loadEnvironment(options: EnvironmentOptions = {}): Environment {
  const { name, directory, migrations, findLocal, cwd = process.cwd() } = options;
  const root =
    directory !== undefined ? resolve(cwd, directory) : migrations === undefined ? findRoot(cwd) : resolve(cwd);
  if (name !== undefined && !/^[A-Za-z0-9_-]+$/.test(name)) {
    throw new MigrateError(
      'invalid_environment',
      `--env takes a name as in --env staging; "${name}" is none.`,
      exitCodes.usage,
    );
  }
  const path = join(root, name === undefined ? '.env' : `.env.${name}`);
  const found = existsSync(path);
  if (name !== undefined && !found) {
    throw new MigrateError(
      'missing_environment',
      `--env ${name} reads ${path}, which does not exist.`,
      exitCodes.usage,
    );
  }
  const fromFile: EnvironmentVariables = found ? parseEnv(readFileSync(path, 'utf8')) : {};
  const fromProcess = options.processEnvironment ?? process.env;
  return {
    root,
    directory: directory === undefined && migrations !== undefined ? migrations : join(root, 'migrations'),
    name,
    production: name === 'production',
    file: found ? path : undefined,
    variables: name === undefined ? { ...fromFile, ...fromProcess } : { ...fromProcess, ...fromFile },
    findLocal: findLocal === undefined ? undefined : () => findLocal(root),
  };
}

function findRoot(from: string): string {
  for (const mark of ['pnpm-workspace.yaml', 'migrations']) {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
      if (existsSync(join(folder, mark))) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return resolve(from);
}

/** The database that a command works with. */
export interface DatabaseTarget {
  readonly ownerUrl: string;
  readonly serviceUrl: string | undefined;
  /** Set when it is the server of `db:up`. */
  readonly local: LocalDatabase | undefined;
}

/** POSTGRES_URL; without it, and without `--env`, the running local server. */
export async function findTarget(environment: Environment): Promise<DatabaseTarget> {
  const ownerUrl = variableOf(environment, 'POSTGRES_URL');
  if (ownerUrl !== undefined) {
    return { ownerUrl, serviceUrl: variableOf(environment, 'POSTGRES_SERVICE_URL'), local: undefined };
  }
  if (environment.name !== undefined) {
    throw new MigrateError(
      'missing_url',
      `${environment.file ?? `.env.${environment.name}`} does not set POSTGRES_URL.`,
      exitCodes.usage,
    );
  }
  const local = await environment.findLocal?.();
  if (local === undefined) {
    throw new MigrateError(
      'missing_url',
      environment.findLocal === undefined
        ? 'POSTGRES_URL is not set. Set it, or write it into .env: the URL of the login that owns the database.'
        : 'POSTGRES_URL is not set and no local server runs. Start one with npm run db:up, or write POSTGRES_URL into .env.',
      exitCodes.usage,
    );
  }
  return { ownerUrl: local.ownerUrl, serviceUrl: local.serviceUrl, local };
}

/** An empty variable counts as none. */
export function variableOf(environment: Environment, name: string): string | undefined {
  const value = environment.variables[name];
  return value === undefined || value === '' ? undefined : value;
}

const hints: Readonly<Record<string, string>> = {
  migrate: ' --dry-run shows what would happen, without it.',
  sql: ' A single SELECT needs none.',
  psql: ' db:sql takes a single SELECT without it.',
  tenants: ' The list of tenants needs none.',
  baseline: ' db:status shows what is recorded, without it.',
};

/** A command that writes: on production only with `--yes`, or not at all. */
export function assertMayWrite(environment: Environment, command: string, yes: boolean): void {
  if (!environment.production || yes) return;
  throw new MigrateError(
    'needs_yes',
    `db:${command} ${command === 'psql' || command === 'sql' ? 'can write' : 'writes'} to production: say so with --yes.${hints[command] ?? ''}`,
    exitCodes.usage,
  );
}

export function assertNotProduction(environment: Environment, command: string): void {
  if (!environment.production) return;
  throw new MigrateError('not_on_production', `There is no db:${command} for production.`, exitCodes.refused);
}
