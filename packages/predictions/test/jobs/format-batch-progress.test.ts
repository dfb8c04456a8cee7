import { expect, it } from 'vitest';
import { type BatchProgress, formatBatchProgress } from '../../src/index.ts';

const progress = (succeeded: number, dead: number, total: number, rate: number | null): BatchProgress => {
  const pending = total - succeeded - dead;
  return {
    chunks: { total: 1, succeeded: 0, dead: 0, pending: 1 },
    rows: { total, succeeded, dead, pending },
    activeMs: 1_000,
    rowsPerSecond: rate,
    remainingMs: rate === null ? null : (pending * 1_000) / rate,
  };
};

it.each([
  [progress(0, 0, 1_000, null), '░░░░░░░░ 0 % · 0 of 1,000 rows'],
  [progress(499, 1, 1_000, 250), '████░░░░ 50 % · 500 of 1,000 rows · 250 rows/s · 2 s left · 1 dead'],
  [progress(1, 0, 1_000, 0.123), '░░░░░░░░ 0 % · 1 of 1,000 rows · 0.12 rows/s · 2 h 15 min left'],
  [progress(500, 0, 100_000, 1_000), '░░░░░░░░ 0 % · 500 of 100,000 rows · 1,000 rows/s · 1 min 40 s left'],
  [progress(1_000, 0, 1_000, 250), '████████ 100 % · 1,000 of 1,000 rows · 250 rows/s'],
  [progress(0, 0, 0, null), '████████ 100 % · 0 of 0 rows'],
])('a line says how far it is, how fast it goes, how long it takes and what is dead', (given, line) => {
  expect(formatBatchProgress(given, 8)).toBe(line);
});
