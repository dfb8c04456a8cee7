import { timeParameter } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { TelemetryGrain } from './schema.ts';

export const windowFields = {
  from: z.date(),
  /** Not included. */
  to: z.date(),
};

export const isForwards = ({ from, to }: { readonly from: Date; readonly to: Date }) => from < to;
export const FORWARDS = 'must have a from that is before to';

export interface TimeWindow {
  readonly from: Date;
  readonly to: Date;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** Widened to whole minutes, which is what aggregates know of. */
export const wholeMinutes = ({ from, to }: TimeWindow): TimeWindow => ({
  from: new Date(Math.floor(from.getTime() / MINUTE) * MINUTE),
  to: new Date(Math.ceil(to.getTime() / MINUTE) * MINUTE),
});

/** The fewest aggregates that make up a window of whole minutes: days in its middle, hours and minutes at its ends. */
function coverWindow({ from, to }: TimeWindow): readonly (TimeWindow & { readonly grain: TelemetryGrain })[] {
  const split = (start: number, end: number, grains: readonly (readonly [TelemetryGrain, number])[]): Piece[] => {
    const [first, ...finer] = grains;
    if (first === undefined || start >= end) return [];
    const [grain, length] = first;
    const [low, high] = [Math.ceil(start / length) * length, Math.floor(end / length) * length];
    if (low >= high) return split(start, end, finer);
    return [...split(start, low, finer), [grain, low, high] as const, ...split(high, end, finer)];
  };
  return split(from.getTime(), to.getTime(), [
    ['day', DAY],
    ['hour', HOUR],
    ['minute', MINUTE],
  ]).map(([grain, start, end]) => ({ grain, from: new Date(start), to: new Date(end) }));
}

type Piece = readonly [TelemetryGrain, number, number];

/** The condition that aggregates `a` are those of the cover. */
export const isCovered = (window: TimeWindow): SQL =>
  sql`(${sql.join(
    coverWindow(window).map(
      ({ grain, from, to }) =>
        sql`a.grain = ${grain} and a.bucket_at >= ${timeParameter(from)} and a.bucket_at < ${timeParameter(to)}`,
    ),
    sql` or `,
  )})`;

export const secondsOf = ({ from, to }: TimeWindow): number => (to.getTime() - from.getTime()) / 1_000;
