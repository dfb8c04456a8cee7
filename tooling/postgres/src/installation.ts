import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { locateBinaries, type PackagedBinaries, readSymbolicLinks } from './binaries.ts';
import { explainFileError } from './errors.ts';
import type { PostgresMajor } from './major.ts';
import { ensureOwnDirectory } from './own-directory.ts';
import { isAlive } from './process-identity.ts';
import { type ServerUser, serverUser } from './server-user.ts';

/** Where root keeps what its server's user must be able to read: the checkout may be closed to others. */
export const SHARED_CACHE = '/var/tmp/mcp-hub-ml';

/** The ignored folder of a checkout. */
export const LOCAL_FOLDER = '.mcp-hub';

export interface Installation {
  readonly major: PostgresMajor;
  readonly bin: string;
  /** The user to run the binaries as, when this process is root. */
  readonly user: ServerUser | undefined;
}

/** Makes the binaries of that major runnable; a copy is made once a build, and parallel calls make one. */
export function installBinaries(o: { readonly major: PostgresMajor; readonly root: string }): Installation {
  const user = serverUser();
  const packaged = locateBinaries(o.major);
  // Links that an install script has made, or npm's own copy, need no copy of ours.
  if (user === undefined && missingLinks(packaged.native) === 0) {
    return { major: o.major, bin: join(packaged.native, 'bin'), user };
  }
  const cache = user === undefined ? join(o.root, LOCAL_FOLDER) : SHARED_CACHE;
  const copy = join(cache, `bin-${packaged.build}`);
  try {
    ensureOwnDirectory(cache);
    if (!isComplete(packaged, copy)) copyBinaries(packaged, copy);
  } catch (error) {
    throw explainFileError(error, `copying PostgreSQL to ${copy}`);
  }
  return { major: o.major, bin: join(copy, 'bin'), user };
}

function missingLinks(native: string): number {
  return readSymbolicLinks(native).filter(
    ({ link }) => lstatSync(join(native, link), { throwIfNoEntry: false }) === undefined,
  ).length;
}

/** A cleaner of old files may have taken some out of /var/tmp, so the copy is counted (1,000 entries, 5 ms). */
function isComplete(packaged: PackagedBinaries, copy: string): boolean {
  if (!existsSync(join(copy, 'bin', 'postgres'))) return false;
  return missingLinks(copy) === 0 && countFiles(copy) === countFiles(packaged.native);
}

function countFiles(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

/** Copies the binaries to `copy`, with their links and readable by everyone; whole or not at all. */
export function copyBinaries(packaged: PackagedBinaries, copy: string): void {
  removeAbandonedCopies(copy);
  const partial = `${copy}.partial-${process.pid}-${randomUUID()}`;
  try {
    // verbatimSymlinks: without it links become absolute ones into node_modules.
    cpSync(packaged.native, partial, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    for (const { link, target } of readSymbolicLinks(packaged.native)) makeLink(partial, link, target);
    openToReaders(partial);
    putInPlace(packaged, partial, copy);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function makeLink(native: string, link: string, target: string): void {
  const path = join(native, link);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  symlinkSync(relative(dirname(link), target), path);
}

/** chmod a+rX, on the copy: an installation under umask 077 has closed the originals, hard links into pnpm's store. */
function openToReaders(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) openToReaders(path);
    else if (entry.isFile()) chmodSync(path, (lstatSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function putInPlace(packaged: PackagedBinaries, partial: string, copy: string): void {
  try {
    renameSync(partial, copy);
  } catch (error) {
    // Another process was first, or what stands there has lost files: then it makes room, which a server that runs
    // from it survives, since it holds its files open.
    if (isComplete(packaged, copy)) return;
    if (!existsSync(copy)) throw error;
    const lost = `${partial}-lost`;
    renameSync(copy, lost);
    renameSync(partial, copy);
    rmSync(lost, { recursive: true, force: true });
  }
}

function removeAbandonedCopies(copy: string): void {
  const prefix = `${basename(copy)}.partial-`;
  for (const name of readdirSync(dirname(copy))) {
    if (!name.startsWith(prefix)) continue;
    if (!isAlive(Number.parseInt(name.slice(prefix.length), 10)))
      rmSync(join(dirname(copy), name), { recursive: true, force: true });
  }
}
