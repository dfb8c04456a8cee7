import type { WriteStream } from 'node:tty';
import { type BatchProgress, formatBatchProgress } from '@mcp-hub/predictions';

/** One line of a terminal that is written anew while jobs go on; nothing where the output is no terminal. */
export interface ProgressLine {
  /** What hears how far a tenant's job is. */
  of(tenant: string): (progress: BatchProgress) => void;
  /** Takes the line away. */
  end(): void;
}

export function createProgressLine(
  stream: Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>,
): ProgressLine {
  const jobs = new Map<string, BatchProgress>();
  const write = (text: string) => {
    // To the start of the line, and clear to its end.
    if (stream.isTTY === true) stream.write(`\r\u001B[K${text}`);
  };
  return {
    of: (tenant) => (progress) => {
      // Workers tell of one job, and may be late.
      if ((jobs.get(tenant)?.rows.pending ?? Number.POSITIVE_INFINITY) < progress.rows.pending) return;
      jobs.set(tenant, progress);
      const parts = [...jobs].map(([name, job]) => `${name} ${formatBatchProgress(job, 12)}`);
      write(parts.join('   ').slice(0, (stream.columns ?? 80) - 1));
    },
    end: () => write(''),
  };
}
