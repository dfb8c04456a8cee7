import { MigrateError } from './errors.ts';

/** Where a command writes. With `--json`, lines are left out and the result is the only thing on stdout. */
export interface Output {
  readonly json: boolean;
  line(text?: string): void;
  warn(text: string): void;
  /** What went wrong and does not end the command. */
  error(text: string): void;
  /** The result, once, at the end; printed with `--json` only. */
  result(value: object): void;
}

export interface OutputStreams {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

export const processStreams: OutputStreams = {
  out: writerTo(process.stdout),
  error: writerTo(process.stderr),
};

/** Where the reader has gone (`db:status | head -1`), the rest is not printed, and the work goes on to its end. */
function writerTo(stream: NodeJS.WriteStream): (text: string) => void {
  let [watched, closed] = [false, false];
  return (text) => {
    if (!watched) {
      watched = true;
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
        closed = true;
      });
    }
    if (!closed) stream.write(text);
  };
}

export function createOutput(json: boolean, streams: OutputStreams = processStreams): Output {
  return {
    json,
    line: (text = '') => {
      if (!json) streams.out(`${text}\n`);
    },
    warn: (text) => streams.error(`warning: ${text}\n`),
    error: (text) => streams.error(`${text}\n`),
    result: (value) => {
      if (json) streams.out(`${JSON.stringify(value, undefined, 2)}\n`);
    },
  };
}

/** What `--json` prints in the place of a result. */
export function errorResult(error: unknown): object {
  if (!(error instanceof Error)) return { error: { code: 'unexpected', message: String(error) } };
  const code = error instanceof MigrateError ? error.code : 'unexpected';
  const place =
    'file' in error && 'line' in error && 'sqlstate' in error
      ? { file: error.file, line: error.line, sqlstate: error.sqlstate }
      : {};
  return { error: { code, message: error.message, ...place } };
}

/** `12 ms`, `1.3 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** `1 file`, `2 files`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Columns as wide as their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
