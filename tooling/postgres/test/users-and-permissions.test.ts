import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLocalServer, startLocalServer, stopLocalServer } from '@mcp-hub/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locateBinaries, readSymbolicLinks } from '../src/binaries.ts';
import { runningPostmaster } from '../src/cluster.ts';
import { explainFileError } from '../src/errors.ts';
import { copyBinaries, installBinaries, SHARED_CACHE } from '../src/installation.ts';
import { ensureOwnDirectory } from '../src/own-directory.ts';
import { canEnter, serverUser } from '../src/server-user.ts';
import { AS_ROOT, answers, type Checkout, makeCheckout, runProgram, until } from './support.ts';

describe.runIf(AS_ROOT)('root', () => {
  const checkouts: Checkout[] = [];
  const makeOne = (mode: number) => {
    const checkout = makeCheckout({ mode });
    checkouts.push(checkout);
    return checkout;
  };
  afterAll(async () => {
    for (const checkout of checkouts) await checkout.remove();
  });

  it('runs the server as nobody, with its data in the checkout', async () => {
    const { root } = makeOne(0o755);
    const server = await startLocalServer({ root });
    expect(server.dataDirectory).toBe(join(root, '.mcp-hub', 'postgres-18', 'data'));
    expect(statSync(server.dataDirectory)).toMatchObject({ uid: serverUser()?.uid, mode: 0o40700 });
  });

  it('has its data beside the cached binaries when the checkout is closed to others, also under umask 077', async () => {
    const { root } = makeOne(0o700);
    const program = runProgram('start-local.ts', [root, '077']);
    const server = await program.line;
    expect(String(server['dataDirectory'])).toMatch(
      new RegExp(`^${SHARED_CACHE}/checkout-[0-9a-f]{16}-[0-9a-f]{16}/postgres-18/data$`),
    );
    expect(await answers(String(server['serviceUrl']))).toBe(true);
    expect(readdirSync(join(root, '.mcp-hub'))).toEqual(['checkout-id']);
    expect(await startLocalServer({ root })).toEqual({ ...server, started: false });
    chmodSync(root, 0o755); // opened since: it stays where it is
    expect(await startLocalServer({ root })).toEqual({ ...server, started: false });
  });

  it('makes a server of its own for a new clone at the path of one that is gone, and removes what that one left', async () => {
    const { root } = makeOne(0o700);
    const before = await startLocalServer({ root });
    rmSync(join(root, '.mcp-hub'), { recursive: true });
    expect(await findLocalServer({ root })).toBeUndefined();
    const after = await startLocalServer({ root });
    expect(after).toMatchObject({ started: true });
    expect(after.dataDirectory).not.toBe(before.dataDirectory);
    expect(existsSync(before.dataDirectory)).toBe(false);
    expect(await answers(before.ownerUrl)).toBe(false);
  });

  it('finds and stops the server of a checkout that was closed since, and says why it cannot start it', async () => {
    const { root } = makeOne(0o755);
    const server = await startLocalServer({ root });
    chmodSync(root, 0o700);
    expect(await startLocalServer({ root })).toEqual({ ...server, started: false });
    expect(await stopLocalServer({ root })).toBe(true);
    expect(await answers(server.ownerUrl)).toBe(false);
    await expect(startLocalServer({ root })).rejects.toMatchObject({ code: 'not_permitted' });
    chmodSync(root, 0o755);
    expect(await startLocalServer({ root })).toEqual({ ...server, started: true });
  });

  it('copies binaries that others can read, with their links', () => {
    const { bin } = installBinaries({ major: 18, root: '/' });
    const native = join(bin, '..');
    const user = serverUser();
    for (const folder of ['bin', 'lib', 'share']) expect(canEnter(user, join(native, folder))).toBe(true);
    for (const { link } of readSymbolicLinks(native)) expect(statSync(join(native, link)).isFile()).toBe(true);
    expect(statSync(native).uid).toBe(0);
  });

  it('copies again when a cleaner of old files has taken some of the copy', () => {
    const packaged = locateBinaries(17);
    const { bin } = installBinaries({ major: 17, root: '/' });
    expect(bin).toBe(join(SHARED_CACHE, `bin-${packaged.build}`, 'bin'));
    rmSync(join(bin, '..', 'share', 'postgres.bki'), { force: true });
    rmSync(join(bin, '..', 'share', 'postgresql', 'postgres.bki'), { force: true });
    installBinaries({ major: 17, root: '/' });
    const count = (directory: string) => readdirSync(directory, { recursive: true }).length;
    expect(count(join(bin, '..', 'share'))).toBe(count(join(packaged.native, 'share')));
    expect(readdirSync(SHARED_CACHE).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('copies them so that others can read them, also when they were installed under umask 077', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-closed-'));
    chmodSync(folder, 0o755);
    const packaged = { ...locateBinaries(17), native: join(folder, 'native') };
    const all = (directory: string) =>
      readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name));
    cpSync(locateBinaries(17).native, packaged.native, { recursive: true, verbatimSymlinks: true });
    for (const path of [packaged.native, ...all(packaged.native)]) chmodSync(path, statSync(path).mode & 0o700);
    const before = process.umask(0o077);
    try {
      copyBinaries(packaged, join(folder, 'copy'));
    } finally {
      process.umask(before);
    }
    const closed = all(join(folder, 'copy')).filter((path) => {
      const { mode } = statSync(path);
      return (mode & 0o044) !== 0o044 || (mode & 0o111) === 0o100;
    });
    expect(closed).toEqual([]);
    expect(canEnter(serverUser(), join(folder, 'copy', 'lib'))).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('starts nothing from a cache that someone else has put there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-cache-'));
    const theirs = join(folder, 'theirs');
    mkdirSync(theirs);
    chownSync(theirs, serverUser()?.uid ?? 0, 0);
    expect(() => ensureOwnDirectory(theirs)).toThrow(expect.objectContaining({ code: 'cache_not_trusted' }));
    symlinkSync(folder, join(folder, 'link'));
    expect(() => ensureOwnDirectory(join(folder, 'link'))).toThrow(
      expect.objectContaining({ code: 'cache_not_trusted' }),
    );
    rmSync(folder, { recursive: true });
  });

  it('takes back the right to write from others who got it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-cache-'));
    chmodSync(folder, 0o777);
    ensureOwnDirectory(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    rmSync(folder, { recursive: true });
  });
});

/** The server's user, when this is root and that user can read the checkout to run programs of it. */
const ordinary = AS_ROOT && canEnter(serverUser(), import.meta.dirname) ? serverUser() : undefined;

describe.runIf(ordinary !== undefined)('an ordinary user', () => {
  let home = '';
  let server: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'mcp-hub-home-'));
    if (ordinary !== undefined) {
      lchownSync(home, ordinary.uid, ordinary.gid);
      server = await runProgram('start-local.ts', [home, '077'], { ...ordinary, home }).line;
    }
  });
  afterAll(async () => {
    const pid = runningPostmaster(String(server['dataDirectory']));
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    await until(() => runningPostmaster(String(server['dataDirectory'])) === undefined, 5000);
    rmSync(home, { recursive: true, force: true });
  });

  it('has server, binaries with their links and data in the ignored folder and leaves node_modules alone', async () => {
    expect(await answers(String(server['ownerUrl']))).toBe(true);
    expect(readdirSync(join(home, '.mcp-hub')).sort()).toEqual([`bin-${locateBinaries(18).build}`, 'postgres-18']);
    expect(statSync(String(server['dataDirectory'])).uid).toBe(ordinary?.uid);
  });

  it('finds it again', async () => {
    if (ordinary === undefined) return;
    expect(await runProgram('start-local.ts', [home], { ...ordinary, home }).line).toEqual({
      ...server,
      started: false,
    });
  });

  it("is told when the checkout is another user's", async () => {
    if (ordinary === undefined) return;
    const root = mkdtempSync(join(tmpdir(), 'mcp-hub-checkout-'));
    chmodSync(root, 0o755);
    await expect(runProgram('start-local.ts', [root], { ...ordinary, home }).line).rejects.toThrow(/not_permitted/);
    rmSync(root, { recursive: true });
  });
});

describe('what can be mended is said', () => {
  it('for a platform without binaries', () => {
    for (const [major, platform] of [
      [18, 'sunos-sparc'],
      [15, 'darwin-arm64'],
    ] as const) {
      expect(() => locateBinaries(major, platform)).toThrow(
        expect.objectContaining({ code: 'no_binaries', message: expect.stringContaining('POSTGRES_URL') }),
      );
    }
  });

  it('for a full disk and for missing rights, and other errors stay as they are', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, copyfile'), { code: 'ENOSPC' });
    expect(explainFileError(full, 'copying')).toMatchObject({ code: 'disk_full', cause: full });
    const closed = Object.assign(new Error('EACCES: permission denied, mkdir'), { code: 'EACCES' });
    expect(explainFileError(closed, 'copying')).toMatchObject({ code: 'not_permitted', cause: closed });
    const other = new Error('something else');
    expect(explainFileError(other, 'copying')).toBe(other);
  });
});
