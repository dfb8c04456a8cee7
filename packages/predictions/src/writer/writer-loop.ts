import { AsyncResource } from 'node:async_hooks';
import type { Backlog, Entry, WriterQueue } from './writer-queue.ts';

/** Calls `work` after `ms`, and gives what calls it off. */
export type After = (ms: number, work: () => void) => () => void;

export interface LoopOptions {
  readonly queue: WriterQueue;
  /** Resolves when each entry is settled, or the writer gives up. */
  readonly writeAll: (batch: readonly Entry[]) => Promise<void>;
  /** Written without waiting for more, and so many at a time. */
  readonly atOnce: Backlog;
  readonly flushMs: number;
  readonly after: After;
}

/** Decides when the entries of a queue are written: one batch after the other. */
export interface WriterLoop {
  /** To be told of each entry that was added: all up to number `due` are to be written now, others when it is time. */
  schedule(given: number, due?: number): void;
  /** Resolves when all up to `through` are settled, and all when the loop has stopped. */
  settled(through: number): Promise<void>;
  /** Takes no batch any more. */
  stop(): void;
}

export function createWriterLoop({ queue, writeAll, atOnce, flushMs, after }: LoopOptions): WriterLoop {
  // A batch holds what many requests gave: it is written outside of any request's transaction.
  const outside = new AsyncResource('PredictionWriter');
  let given = 0;
  let due = 0;
  let isRunning = false;
  let isStopped = false;
  let callOff: (() => void) | undefined;
  let waiting: { readonly through: number; readonly resolve: () => void }[] = [];

  const isDue = () => {
    const first = queue.firstPending();
    if (first === undefined || isStopped) return false;
    const { rows, bytes } = queue.pending();
    return first.number <= due || rows >= atOnce.rows || bytes >= atOnce.bytes || queue.isAnyoneWaiting();
  };

  const begin = () => {
    if (isRunning || isStopped || queue.firstPending() === undefined) return;
    if (isDue()) {
      isRunning = true;
      callOff?.();
      callOff = undefined;
      // After the requests that are at hand in this turn of the loop: they are one batch then.
      outside.runInAsyncScope(() => setImmediate(() => void run()));
    } else {
      callOff ??= outside.runInAsyncScope(() =>
        after(flushMs, () => {
          callOff = undefined;
          due = given;
          begin();
        }),
      );
    }
  };

  const run = async () => {
    while (isDue()) {
      await writeAll(queue.next(atOnce));
      tell();
    }
    isRunning = false;
    tell();
    begin();
  };

  /** Between batches all that came before the first that waits are settled. */
  const tell = () => {
    const through = isStopped ? Number.POSITIVE_INFINITY : (queue.firstPending()?.number ?? given + 1) - 1;
    const told = waiting.filter((one) => one.through <= through);
    waiting = waiting.filter((one) => one.through > through);
    for (const { resolve } of told) resolve();
  };

  return {
    schedule: (number, dueThrough = due) => {
      given = number;
      due = Math.max(due, dueThrough);
      begin();
    },
    settled: (through) =>
      new Promise((resolve) => {
        waiting.push({ through, resolve });
        if (!isRunning) tell();
      }),
    stop: () => {
      isStopped = true;
      callOff?.();
      tell();
    },
  };
}
