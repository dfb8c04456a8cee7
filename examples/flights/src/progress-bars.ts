import type { WriteStream } from 'node:tty';
import { type BatchProgress, formatBatchProgress } from '@mcp-hub/predictions';

/** A line a tenant at the end of a terminal, written anew while jobs go on; nothing where the output is no terminal. */
export interface ProgressBars {
  /** What hears how far a tenant's job is. */
  of(tenant: string): (progress: BatchProgress) => void;
  /** Takes the lines away. */
  end(): void;
}

export function createProgressBars(
  stream: Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>,
): ProgressBars {
  const jobs = new Map<string, BatchProgress>();
  let written = 0;
  const write = (lines: readonly string[]) => {
    if (stream.isTTY !== true) return;
    // Up to the first line and to its start, and clear all from there on.
    const up = written > 1 ? `\u001B[${written - 1}A` : '';
    stream.write(`\r${up}\u001B[J${lines.map((line) => line.slice(0, (stream.columns ?? 80) - 1)).join('\n')}`);
    written = lines.length;
  };
  return {
    of: (tenant) => (progress) => {
      // Several workers tell of one job, and may be late.
      if ((jobs.get(tenant)?.rows.pending ?? Number.POSITIVE_INFINITY) < progress.rows.pending) return;
      jobs.set(tenant, progress);
      write([...jobs].map(([name, job]) => `${name.padEnd(10)}  ${formatBatchProgress(job)}`));
    },
    end: () => {
      if (written > 0) write([]);
    },
  };
}
