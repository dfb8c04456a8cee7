import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresToolError } from './errors.ts';
import { isAlive } from './process-identity.ts';

/** No holder works this long, so a live process with the id of an older lock's holder is another one. */
const LONGEST_HOLD_MS = 10 * 60_000;
const LONGEST_BREAK_MS = 10_000;
const LONGEST_WAIT_MS = 3 * 60_000;

/** Runs `work` while no other process on this machine runs a piece of work under the same file. */
export async function withLockFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  const token = `${process.pid} ${randomUUID()}`;
  const giveUpAt = Date.now() + LONGEST_WAIT_MS;
  while (!tryCreate(path, token)) {
    if (breakStaleLock(path)) continue;
    if (Date.now() > giveUpAt) {
      throw new PostgresToolError(
        'lock_timeout',
        `Another process (id ${holderOf(path)}) has been starting or stopping the server for minutes. ` +
          `End it, or remove ${path} if it is gone.`,
      );
    }
    await sleep(50);
  }
  try {
    return await work();
  } finally {
    if (readText(path) === token) rmSync(path, { force: true });
  }
}

function tryCreate(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o644);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  return true;
}

/**
 * Removes the lock of a holder that is gone. Two waiters can find the same stale lock, and the slower one would remove
 * the lock that the faster one has made since; so they look and remove one at a time, under a second file.
 */
function breakStaleLock(path: string): boolean {
  if (!isStale(path)) return false;
  const breaker = `${path}.break`;
  if (!tryCreate(breaker, String(process.pid))) {
    if (ageMs(breaker) > LONGEST_BREAK_MS) rmSync(breaker, { force: true });
    return false;
  }
  try {
    if (!isStale(path)) return false;
    rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(breaker, { force: true });
  }
}

function isStale(path: string): boolean {
  const age = ageMs(path);
  const holder = holderOf(path);
  // A file without an id is being written by its maker, unless that was killed in between.
  if (holder === undefined) return age > LONGEST_BREAK_MS;
  return age > LONGEST_HOLD_MS || !isAlive(holder);
}

function holderOf(path: string): number | undefined {
  const pid = Number.parseInt(readText(path), 10);
  return Number.isInteger(pid) ? pid : undefined;
}

function ageMs(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
