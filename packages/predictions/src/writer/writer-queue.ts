import type { Id } from '@mcp-hub/db-core';
import type { QueuedPrediction } from './queued-prediction.ts';

/** How many wait, and about what they take in memory. */
export interface Backlog {
  readonly rows: number;
  readonly bytes: number;
}

/** A prediction on its way through the queue. */
export interface Entry extends QueuedPrediction {
  /** In the order of the calls, from 1. */
  readonly number: number;
  /** Written, rejected or handed back: whatever comes later does not concern it. */
  isSettled: boolean;
  /** Its caller waits for the commit, and not for room. */
  readonly isAwaited: boolean;
  /** Of one that is not awaited the version is not known yet. */
  readonly resolve: (id: Id<'Prediction'>, versionId: Id<'ModelVersion'>) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  /** What hears the signal, until it is over. */
  leave: (() => void) | undefined;
  /** The signal has ended the waiting. */
  hasLeft: boolean;
}

/** What a writer has: taken entries up to its bounds, and behind them those that wait for room. */
export interface WriterQueue {
  /** Taken and not settled, with those under way. */
  backlog(): Backlog;
  /** Taken, and not under way. */
  pending(): Backlog;
  firstPending(): Entry | undefined;
  isAnyoneWaiting(): boolean;
  add(entry: Entry): void;
  /** Gives up waiting for room; false where the entry was taken already. */
  withdraw(entry: Entry): boolean;
  /** Takes entries out to be written: as many of the first as these bounds allow, and at least one. */
  next(bounds: Backlog): readonly Entry[];
  /** Marks an entry of `next` and makes room for others; false where that was done before. */
  settle(entry: Entry): boolean;
  /** Everything that is not settled, in order; the queue is empty then. */
  drain(): readonly Entry[];
}

/** @param onTaken is told when there is room for an entry. */
export function createWriterQueue(bounds: Backlog, onTaken: (entry: Entry) => void): WriterQueue {
  let pending: Entry[] = [];
  let pendingBytes = 0;
  let underWay: readonly Entry[] = [];
  let waiting: Entry[] = [];
  let rows = 0;
  let bytes = 0;

  const isRoomFor = (entry: Entry) =>
    // One that is larger than the bound passes alone.
    rows === 0 || (rows < bounds.rows && bytes + entry.bytes <= bounds.bytes);

  const take = (entry: Entry) => {
    rows += 1;
    bytes += entry.bytes;
    pendingBytes += entry.bytes;
    pending.push(entry);
    onTaken(entry);
  };

  const admit = () => {
    let admitted = 0;
    for (const entry of waiting) {
      if (!isRoomFor(entry)) break;
      take(entry);
      admitted += 1;
    }
    if (admitted > 0) waiting = waiting.slice(admitted);
  };

  return {
    backlog: () => ({ rows, bytes }),
    pending: () => ({ rows: pending.length, bytes: pendingBytes }),
    firstPending: () => pending[0],
    isAnyoneWaiting: () => waiting.length > 0,
    add: (entry) => {
      // Whoever came earlier is first, also where this one is small enough to fit.
      if (waiting.length === 0 && isRoomFor(entry)) take(entry);
      else waiting.push(entry);
    },
    withdraw: (entry) => {
      const place = waiting.indexOf(entry);
      if (place >= 0) waiting.splice(place, 1);
      return place >= 0;
    },
    next: (most) => {
      let count = 0;
      let size = 0;
      for (const entry of pending) {
        if (count > 0 && (count >= most.rows || size + entry.bytes > most.bytes)) break;
        count += 1;
        size += entry.bytes;
      }
      underWay = pending.splice(0, count);
      pendingBytes -= size;
      return underWay;
    },
    settle: (entry) => {
      if (entry.isSettled) return false;
      entry.isSettled = true;
      rows -= 1;
      bytes -= entry.bytes;
      admit();
      return true;
    },
    drain: () => {
      const all = [...underWay, ...pending, ...waiting].filter(({ isSettled }) => !isSettled);
      for (const entry of all) entry.isSettled = true;
      underWay = [];
      pending = [];
      waiting = [];
      rows = 0;
      bytes = 0;
      pendingBytes = 0;
      return all;
    },
  };
}
