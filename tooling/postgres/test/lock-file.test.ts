import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLockFile } from '../src/lock-file.ts';
import { runProgram } from './support.ts';

describe('work under a lock file', () => {
  let folder = '';
  let path = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-hub-lock-'));
    path = join(folder, 'lock');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function runMany(): Promise<number> {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(5);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withLockFile(path, work)));
    return most;
  }

  const deadProcess = () => String(spawnSync('true').pid);

  it('is done by one at a time, also when all find the lock of a process that is gone', async () => {
    expect(await runMany()).toBe(1);
    writeFileSync(path, `${deadProcess()} left`);
    expect(await runMany()).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it('is done by one process at a time when each leaves its lock behind as if it had died', async () => {
    const programs = Array.from({ length: 4 }, () => runProgram('take-lock.ts', [join(folder, 'hammered'), '50']));
    for (const program of programs) expect(await program.line).toEqual({ together: 0 });
  });

  it('waits for a live holder', async () => {
    writeFileSync(path, `${process.pid} held`);
    const order: string[] = [];
    const waiting = withLockFile(path, async () => {
      order.push('work');
    });
    await sleep(200);
    order.push('release');
    rmSync(path);
    await waiting;
    expect(order).toEqual(['release', 'work']);
  });

  it('does not wait for a live process that has got the id of a holder of long ago', async () => {
    writeFileSync(path, `${process.pid} old`);
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(path, longAgo, longAgo);
    expect(await withLockFile(path, async () => 'done')).toBe('done');
  });

  it('goes on when the one who was removing a stale lock was killed over it', async () => {
    writeFileSync(path, `${deadProcess()} left`);
    writeFileSync(`${path}.break`, deadProcess());
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(`${path}.break`, longAgo, longAgo);
    expect(await withLockFile(path, async () => 'done')).toBe('done');
  });

  it('lets go after a failure', async () => {
    await expect(withLockFile(path, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });
});
