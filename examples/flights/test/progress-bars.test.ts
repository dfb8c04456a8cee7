import type { BatchProgress } from '@mcp-hub/predictions';
import { describe, expect, it } from 'vitest';
import { createProgressBars } from '../src/progress-bars.ts';

const progress = (succeeded: number): BatchProgress => ({
  chunks: { total: 4, succeeded: succeeded / 100, dead: 0, pending: 4 - succeeded / 100 },
  rows: { total: 400, succeeded, dead: 0, pending: 400 - succeeded },
  ...{ activeMs: 1_000, rowsPerSecond: succeeded, remainingMs: 2_000 },
});

function fakeStream(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text: string) => written.push(text) > 0 };
}

describe('the progress bars', () => {
  it('are a line a tenant, are written over, and go away', () => {
    const stream = fakeStream(true);
    const bars = createProgressBars(stream);
    bars.of('coast')(progress(100));
    bars.of('heartland')(progress(200));
    bars.end();
    bars.end();
    const coast = 'coast       ██████░░░░░░░░░░░░░░░░░░ 25 % · 100 of 400 rows · 100 rows/s · 2 s left';
    const heartland = 'heartland   ████████████░░░░░░░░░░░░ 50 % · 200 of 400 rows · 200 rows/s · 2 s left';
    expect(stream.written).toEqual([`\r\u001B[J${coast}`, `\r\u001B[J${coast}\n${heartland}`, '\r\u001B[1A\u001B[J']);
  });

  it('are never longer than the terminal is wide, and go back for no worker that is late', () => {
    const stream = fakeStream(true, 20);
    const hear = createProgressBars(stream).of('coast');
    hear(progress(200));
    hear(progress(100));
    expect(stream.written).toEqual(['\r\u001B[Jcoast       ███████']);
  });

  it('write nothing where the output is no terminal', () => {
    const stream = fakeStream(false);
    const bars = createProgressBars(stream);
    bars.of('coast')(progress(100));
    bars.end();
    expect(stream.written).toEqual([]);
  });
});
