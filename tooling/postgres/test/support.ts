import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type PostgresMajor, removeLocalServer } from '@mcp-hub/postgres';
import postgres from 'postgres';
import { installBinaries } from '../src/installation.ts';
import { localPlaces } from '../src/local-place.ts';
import type { ServerUser } from '../src/server-user.ts';
import { watchOver } from '../src/watchdog.ts';

export const AS_ROOT = process.getuid?.() === 0;

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

export interface Checkout {
  readonly root: string;
  readonly remove: () => Promise<void>;
}

/** An empty directory that stands for a checkout. Its server ends with this process, also when that is killed. */
export function makeCheckout(o: { readonly mode?: number; readonly major?: PostgresMajor } = {}): Checkout {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-hub-checkout-')));
  chmodSync(root, o.mode ?? 0o755);
  const major = o.major ?? 18;
  const { chosen, other } = localPlaces(root, major);
  for (const place of [chosen, other]) if (place !== undefined) watchOver(installBinaries({ major, root }), place.data);
  return {
    root,
    remove: async () => {
      await removeLocalServer({ root });
      for (const place of [chosen, other])
        if (place !== undefined) rmSync(place.base, { recursive: true, force: true });
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export interface Program {
  readonly process: ChildProcess;
  /** The first JSON line of its output. */
  readonly line: Promise<Readonly<Record<string, unknown>>>;
  /** Resolves when the process has ended and nobody else holds its output open. */
  readonly closed: Promise<void>;
}

/** Runs one of `programs/` in a process of its own. */
export function runProgram(
  name: string,
  args: readonly string[],
  user?: ServerUser & { readonly home: string },
): Program {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@mcp-hub/source',
      '--import',
      import.meta.resolve('tsx'),
      join(PACKAGE, 'test', 'programs', name),
      ...args,
    ],
    {
      cwd: PACKAGE,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(user === undefined
        ? {}
        : { uid: user.uid, gid: user.gid, env: { ...process.env, HOME: user.home, TMPDIR: user.home } }),
    },
  );
  let output = '';
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const line = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      try {
        resolve(JSON.parse(output));
      } catch {
        // not all of it yet
      }
    });
    child.once('close', () => reject(new Error(`${name} ended without a line: ${errors}`)));
  });
  return { process: child, line, closed };
}

export async function query(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

export async function answers(url: string): Promise<boolean> {
  try {
    await query(url, 'select 1');
    return true;
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const giveUpAt = Date.now() + withinMs;
  while (Date.now() < giveUpAt) {
    if (await condition()) return true;
    await sleep(50);
  }
  return condition();
}
