import { ChartError } from './errors.ts';
import { CHART_LIMITS } from './limits.ts';
import { countText } from './number-text.ts';

export interface ThinRules<Row> {
  /** How many rows may stay, beside those that `keep` holds. */
  readonly maxRows: number;
  /** What is drawn of a row; null where the line has a gap. */
  readonly measures: readonly ((row: Row) => number | null)[];
  readonly keep?: ((row: Row) => boolean) | undefined;
}

/**
 * Those of ordered rows that a line of `maxRows` points needs, in their order, and the same ones each time: the first and
 * the last, and of each of equally many neighbours the row with the smallest and the largest value of each measure (the
 * first of equal ones) and the first gap. The groups are as small as
 * `maxRows` allows, to a quarter. No peak is lost, and no gap but those beside another.
 */
export function thinRows<Row>(rows: readonly Row[], rules: ThinRules<Row>): readonly Row[] {
  const { maxRows, keep } = rules;
  if (rows.length <= maxRows) return rows;
  let groups = maxRows;
  let kept = positionsToKeep(rows, groups, rules);
  while (kept.size > maxRows && groups > 1) {
    groups = Math.floor(groups * 0.75);
    kept = positionsToKeep(rows, groups, rules);
  }
  return rows.filter((row, position) => kept.has(position) || keep?.(row) === true);
}

function positionsToKeep<Row>(rows: readonly Row[], groups: number, { measures }: ThinRules<Row>): ReadonlySet<number> {
  const kept = new Set([0, rows.length - 1]);
  for (let group = 0; group < groups; group++) {
    const from = Math.floor((group * rows.length) / groups);
    const to = Math.floor(((group + 1) * rows.length) / groups);
    for (const measure of measures) for (const position of extremes(rows, from, to, measure)) kept.add(position);
  }
  return kept;
}

function extremes<Row>(rows: readonly Row[], from: number, to: number, measure: (row: Row) => number | null) {
  let [smallest, largest, gap] = [-1, -1, -1];
  let [least, most] = [Infinity, -Infinity];
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const value = row === undefined ? null : measure(row);
    if (value === null) {
      if (gap === -1) gap = i;
      continue;
    }
    if (value < least) [smallest, least] = [i, value];
    if (value > most) [largest, most] = [i, value];
  }
  return [smallest, largest, gap].filter((position) => position !== -1);
}

/** How many points a line may have, as asked for. */
export function pointsOf(maxPoints: number | undefined): number {
  const { points, minPoints, maxPoints: most } = CHART_LIMITS;
  if (maxPoints === undefined) return points;
  if (Number.isInteger(maxPoints) && maxPoints >= minPoints && maxPoints <= most) return maxPoints;
  throw new ChartError('invalid_input', `maxPoints must be an integer from ${minPoints} to ${most}.`);
}

/** What the subtitle says of it; undefined where all rows are drawn. */
export function thinnedNote(total: number, drawn: number, noun = 'points'): string | undefined {
  if (drawn >= total) return undefined;
  return `Thinned from ${countText(total)} to ${countText(drawn)} ${noun}; the smallest and largest values are kept.`;
}
