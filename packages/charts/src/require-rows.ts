import { ChartError } from './errors.ts';
import { CHART_LIMITS } from './limits.ts';

/** Refuses what is not a finite number of at least 0, such as a count or a weight. */
export function requireAmount(name: string, value: number): number {
  if (value >= 0 && value < Infinity) return value;
  throw new ChartError('invalid_input', `${name} must be a finite number of at least 0 in each row.`);
}

/** Refuses what is not finite. */
export function requireFinite(name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new ChartError('invalid_input', `${name} must be a finite number in each row.`);
}

/** Refuses more lines than can be told apart. */
export function requireFewSeries(name: string, count: number): void {
  if (count <= CHART_LIMITS.series) return;
  throw new ChartError('invalid_input', `${name} must hold at most ${CHART_LIMITS.series}: draw several charts.`);
}

/** Milliseconds since 1970 of a time; refuses an invalid Date. */
export function requireTime(name: string, time: Date): number {
  const milliseconds = time.getTime();
  if (!Number.isNaN(milliseconds)) return milliseconds;
  throw new ChartError('invalid_input', `${name} must be a valid Date in each row.`);
}

/** Text by its UTF-16 code units: the same order on every machine, which localeCompare does not give. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
