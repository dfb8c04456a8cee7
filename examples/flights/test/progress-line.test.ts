import type { BatchProgress } from '@mcp-hub/predictions';
import { describe, expect, it } from 'vitest';
import { createProgressLine } from '../src/progress-line.ts';

const progress = (succeeded: number): BatchProgress => ({
  chunks: { total: 4, succeeded: succeeded / 100, dead: 0, pending: 4 - succeeded / 100 },
  rows: { total: 400, succeeded, dead: 0, pending: 400 - succeeded },
  ...{ activeMs: 1_000, rowsPerSecond: null, remainingMs: null },
});

function fakeStream(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text: string) => written.push(text) > 0 };
}

describe('the progress line', () => {
  it('holds the jobs of all tenants, is written over, and goes away', () => {
    const stream = fakeStream(true);
    const line = createProgressLine(stream);
    line.of('coast')(progress(100));
    line.of('heartland')(progress(200));
    line.end();
    expect(stream.written.map((text) => text.replace('\r\u001B[K', '> '))).toEqual([
      '> coast ███░░░░░░░░░ 25 % · 100 of 400 rows',
      '> coast ███░░░░░░░░░ 25 % · 100 of 400 rows   heartland ██████░░░░░░ 50 % · 200 of 400 rows',
      '> ',
    ]);
  });

  it('is never longer than the terminal is wide, and goes back for no worker that is late', () => {
    const stream = fakeStream(true, 20);
    const hear = createProgressLine(stream).of('coast');
    hear(progress(200));
    hear(progress(100));
    expect(stream.written).toEqual([`\r\u001B[K${'coast ██████░░░░░░ 5'.slice(0, 19)}`]);
  });

  it('writes nothing where the output is no terminal', () => {
    const stream = fakeStream(false);
    const line = createProgressLine(stream);
    line.of('coast')(progress(100));
    line.end();
    expect(stream.written).toEqual([]);
  });
});
