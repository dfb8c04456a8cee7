/** Of chunks or rows. */
export interface BatchCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly dead: number;
  /** Neither of these: waiting, or worked on. */
  readonly pending: number;
}

/** How far a job has come. */
export interface BatchProgress {
  readonly chunks: BatchCounts;
  readonly rows: BatchCounts;
  /** Time that the job was running for; paused and queued it does not grow. */
  readonly activeMs: number;
  /** Rows that ended in that time, by its seconds; null before the first. */
  readonly rowsPerSecond: number | null;
  /** Until all rows have ended, at that rate; null without a rate, 0 where none is pending. */
  readonly remainingMs: number | null;
}

/** Sums of chunks and rows that succeeded and are dead, and the time the job was running for. */
export type ProgressFacts = readonly [number, number, number, number, number];

export function progressOf(
  { chunkCount, rowCount }: { readonly chunkCount: number; readonly rowCount: number },
  [chunksSucceeded, chunksDead, rowsSucceeded, rowsDead, activeMs]: ProgressFacts,
): BatchProgress {
  const ended = rowsSucceeded + rowsDead;
  const pending = rowCount - ended;
  const rowsPerSecond = ended > 0 && activeMs > 0 ? (ended * 1000) / activeMs : null;
  const remainingMs = pending === 0 ? 0 : rowsPerSecond === null ? null : (pending * 1000) / rowsPerSecond;
  return {
    chunks: {
      total: chunkCount,
      succeeded: chunksSucceeded,
      dead: chunksDead,
      pending: chunkCount - chunksSucceeded - chunksDead,
    },
    rows: { total: rowCount, succeeded: rowsSucceeded, dead: rowsDead, pending },
    activeMs,
    rowsPerSecond,
    remainingMs,
  };
}
