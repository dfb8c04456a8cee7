import type { BatchProgress } from './batch-progress.ts';

/**
 * A job's progress on one line, for a terminal: a bar, rows, rate, time left, and how many rows are dead. No colours and no
 * control characters; a program writes it after a carriage return.
 *
 * @param width of the bar in characters, default 24.
 */
export function formatBatchProgress({ rows, rowsPerSecond, remainingMs }: BatchProgress, width = 24): string {
  const share = rows.total === 0 ? 1 : (rows.succeeded + rows.dead) / rows.total;
  const full = Math.floor(share * width);
  const parts = [
    `${'█'.repeat(full)}${'░'.repeat(width - full)} ${Math.floor(share * 100)} %`,
    `${count(rows.succeeded + rows.dead)} of ${count(rows.total)} rows`,
    ...(rowsPerSecond === null ? [] : [`${count(rowsPerSecond)} rows/s`]),
    ...(remainingMs === null || rows.pending === 0 ? [] : [`${duration(remainingMs)} left`]),
    ...(rows.dead === 0 ? [] : [`${count(rows.dead)} dead`]),
  ];
  return parts.join(' · ');
}

const count = (value: number) =>
  (value < 10 ? Number(value.toPrecision(2)) : Math.round(value)).toLocaleString('en-US');

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
