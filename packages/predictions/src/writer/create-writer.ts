import { DomainError, type Id, parseInput } from '@mcp-hub/db-core';
import { createKnownFeatures } from './known-features.ts';
import { givenAgain, type TakenPrediction, takePrediction, type WriterPrediction } from './queued-prediction.ts';
import { settleBatch } from './settle-batch.ts';
import type { BatchOutcome } from './write-batch.ts';
import { type After, createWriterLoop } from './writer-loop.ts';
import { CloseWriterInput, type PredictionWriterOptions } from './writer-options.ts';
import { type Backlog, createWriterQueue, type Entry } from './writer-queue.ts';

export interface WrittenPrediction {
  readonly id: Id<'Prediction'>;
  readonly versionId: Id<'ModelVersion'>;
}

export interface WaitOptions {
  /** Ends the waiting with its reason. What has been taken is written all the same. */
  readonly signal?: AbortSignal;
}

/** Writes predictions of one tenant in batches, beside the requests that made them. */
export interface PredictionWriter {
  /**
   * Takes a prediction to be written soon, and gives its id: at once while there is room, else as soon as there is. Await
   * it, or nothing bounds what waits. A process that dies loses what was taken and is not written yet.
   *
   * @throws DomainError `invalid_input` for a value outside the limits, an alias or a stage; `failed_precondition` after
   *   close. What the ledger refuses goes to onRejected.
   */
  enqueue(prediction: WriterPrediction, options?: WaitOptions): Promise<Id<'Prediction'>>;
  /**
   * Takes a prediction and resolves when it is committed, in one batch with all that came while the one before was written.
   *
   * @throws also what the ledger refuses: `not_found` without the version, `invalid_input` for a feature of another kind,
   *   `conflict` for an id with other content; `unavailable` where close handed it back.
   */
  record(prediction: WriterPrediction, options?: WaitOptions): Promise<WrittenPrediction>;
  /** Writes what was given before this call, and resolves when each of it is written or rejected. */
  flush(): Promise<void>;
  /**
   * Takes nothing more, writes what is there, and after `timeoutMs` gives up. Resolves with what is not known to be
   * written, in order and with its ids: whoever records it again makes nothing double. A second call gives the same.
   */
  close(options?: CloseWriterInput): Promise<readonly TakenPrediction[]>;
  /** What was taken and is neither written nor rejected. */
  backlog(): Backlog;
}

/** Writes some predictions, or tells why not; undone where `isAbandoned` says so before the end. */
export type WriteRows = (
  rows: readonly Entry[],
  options: { readonly now: Date | undefined; readonly isAbandoned: () => boolean },
) => Promise<BatchOutcome<Entry>>;

/** The writer over whatever writes. */
export function createWriter(settings: PredictionWriterOptions, write: WriteRows): PredictionWriter {
  const { onRejected, now, after = afterUnreferenced, logger } = settings;
  const { flushMs = 100, retryMs = 50, retryMaxMs = 5_000 } = settings;
  const most = { rows: settings.maxRows ?? 10_000, bytes: settings.maxBytes ?? 64_000_000 };
  const queue = createWriterQueue(most, (entry) => {
    if (!entry.isAwaited) fulfil(entry, '');
  });
  const known = createKnownFeatures();
  let given = 0;
  let isAbandoned = false;
  let wakeUp = () => {};
  let closing: Promise<readonly TakenPrediction[]> | undefined;

  const loop = createWriterLoop({
    queue,
    flushMs,
    after,
    atOnce: { rows: settings.flushRows ?? 1_000, bytes: settings.flushBytes ?? 8_000_000 },
    writeAll: (batch) =>
      settleBatch(batch, {
        isAbandoned: () => isAbandoned,
        write: (rows) => write(rows, { now: now?.(), isAbandoned: () => isAbandoned }),
        onWritten: (rows, versionIds) => {
          for (const row of rows) {
            if (queue.settle(row) && row.isAwaited) fulfil(row, versionIds.get(row.versionKey) ?? '');
          }
        },
        onRefused: (row, error) => {
          if (queue.settle(row)) refuse(row, error);
        },
        onFailed: async ({ code }, failures) => {
          logger?.warn({ code, failures }, 'Predictions could not be written. The writer tries again.');
          // With jitter, so that writers that failed together do not come back together.
          const ms = Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures - 1, 30)) * (1 - Math.random() / 2);
          await new Promise<void>((resolve) => {
            const callOff = after(ms, resolve);
            wakeUp = () => {
              callOff();
              resolve();
            };
          });
        },
      }),
  });

  const stopHearing = (entry: Entry) => {
    if (entry.leave !== undefined) entry.signal?.removeEventListener('abort', entry.leave);
  };

  const fulfil = (entry: Entry, versionId: string) => {
    stopHearing(entry);
    entry.resolve(entry.id, versionId as Id<'ModelVersion'>);
  };

  const refuse = (entry: Entry, error: unknown) => {
    stopHearing(entry);
    if (entry.isAwaited && !entry.hasLeft) return entry.reject(error);
    try {
      onRejected({ prediction: givenAgain(entry), error });
    } catch {
      logger?.error({}, 'onRejected of a prediction writer threw.');
    }
  };

  const give = (
    prediction: WriterPrediction,
    signal: AbortSignal | undefined,
    isAwaited: boolean,
    resolveEntry: Entry['resolve'],
    reject: Entry['reject'],
  ): void => {
    signal?.throwIfAborted();
    if (closing !== undefined) throw closed();
    const taken = takePrediction(prediction, now?.() ?? new Date(), known);
    given += 1;
    const entry: Entry = {
      ...taken,
      number: given,
      isSettled: false,
      isAwaited,
      resolve: resolveEntry,
      reject,
      signal,
      leave: undefined,
      hasLeft: false,
    };
    if (signal !== undefined) {
      entry.leave = () => {
        entry.hasLeft = true;
        queue.withdraw(entry);
        reject(signal.reason);
      };
      signal.addEventListener('abort', entry.leave, { once: true });
    }
    queue.add(entry);
    loop.schedule(given, isAwaited ? given : undefined);
  };

  const finish = async (timeoutMs: number): Promise<readonly TakenPrediction[]> => {
    const written = flush();
    wakeUp();
    // This timer alone keeps the process alive, so that what is left is handed back before it ends.
    let callOff = () => {};
    const late = new Promise<void>((resolve) => {
      callOff = (settings.after ?? afterReferenced)(timeoutMs, resolve);
    });
    await Promise.race([written, late]);
    callOff();
    isAbandoned = true;
    const rest = queue.drain();
    wakeUp();
    loop.stop();
    for (const row of rest) {
      stopHearing(row);
      row.reject(handedBack());
    }
    return rest.map(givenAgain);
  };

  const flush = async (): Promise<void> => {
    loop.schedule(given, given);
    await loop.settled(given);
  };

  return {
    enqueue: (prediction, { signal } = {}) =>
      new Promise((taken, reject) => give(prediction, signal, false, taken, reject)),
    record: (prediction, { signal } = {}) =>
      new Promise((written, reject) => {
        const resolveBoth: Entry['resolve'] = (id, versionId) => written({ id, versionId });
        give(prediction, signal, true, resolveBoth, reject);
      }),
    flush,
    close: async (input = {}) => {
      const { timeoutMs = 10_000 } = parseInput(CloseWriterInput, input);
      closing ??= finish(timeoutMs);
      return await closing;
    },
    backlog: () => queue.backlog(),
  };
}

const afterUnreferenced: After = (ms, work) => {
  const timer = setTimeout(work, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

const afterReferenced: After = (ms, work) => {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
};

const closed = () =>
  new DomainError('failed_precondition', 'This writer is closed. Open another one for what is predicted from now on.');
const handedBack = () =>
  new DomainError('unavailable', 'The writer was closed before this prediction was written. Its close handed it back.');
