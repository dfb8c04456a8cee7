import { DomainError, parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { TELEMETRY_LIMITS } from './limits.ts';
import { fromAggregates, mergeParts, partColumns } from './merge-parts.ts';
import { refuseManySeries, selectedSeries, selectionFields } from './series-selection.ts';
import {
  percentileList,
  percentilesOf,
  type StatisticsRow,
  statisticsColumns,
  statisticsOf,
  type TelemetryStatistics,
} from './statistics.ts';
import { FORWARDS, isForwards, secondsOf, type TimeWindow, windowFields } from './time-window.ts';

const calendarSteps = ['day', 'week', 'month'] as const;

const MINUTES_A_DAY = 1_440;

export const ReadSeriesInput = z
  .strictObject({
    ...selectionFields,
    ...windowFields,
    /**
     * The length of a point: minutes that divide a day (60 is an hour), or a calendar's day, week (from Monday) or month.
     * Points of minutes begin anew at each midnight of the time zone, so that a day of 23 hours has as many fewer.
     */
    step: z.union(
      [
        z.enum(calendarSteps),
        z.strictObject({
          minutes: z
            .int()
            .min(1)
            .max(MINUTES_A_DAY)
            .refine((minutes) => MINUTES_A_DAY % minutes === 0, 'must divide the 1440 minutes of a day'),
        }),
      ],
      'must be "day", "week", "month" or { minutes: … }, minutes that divide the 1440 of a day',
    ),
    /** An IANA name of area and place such as `Europe/Berlin`, or `UTC`. Default `UTC`. */
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be an IANA time zone of area and place, such as "Europe/Berlin", or "UTC"')
      .optional(),
    percentiles: percentileList.optional(),
    /** Points without values: with n 0 (default), left out, or with the statistics of the point before but for the counts. */
    gaps: z.enum(['empty', 'omit', 'previous']).optional(),
  })
  .refine(isForwards, FORWARDS);
export type ReadSeriesInput = Readonly<z.input<typeof ReadSeriesInput>>;

export interface TelemetryPoint extends TelemetryStatistics {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

/**
 * A metric's values over time, a point a step, in order; the points are those that have a part in the window, whole. Read
 * from days, hours or minutes, whichever is the coarsest that the points begin and end at. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for more than 10,000 points, or more than 1,000 series.
 */
export async function readSeries(tx: TenantTx, input: ReadSeriesInput): Promise<readonly TelemetryPoint[]> {
  const {
    from,
    to,
    step,
    timeZone = 'UTC',
    percentiles = [],
    gaps = 'empty',
    ...selection
  } = parseInput(ReadSeriesInput, input);
  refuseManyPoints({ from, to }, step);
  const rows = await tx.execute<StatisticsRow & { from_ms: number; to_ms: number; series: number }>(sql`
    with bins as materialized (
      select row_number() over (order by from_at) as bin, from_at, to_at
        from (${binsOf(step, { from, to }, timeZone)}) bin
       where to_at > ${timeParameter(from)} and from_at < ${timeParameter(to)}
         -- A day that a zone left out, when it went over the date line, has no length.
         and to_at > from_at
    ), ends as materialized (
      select array_agg(from_at order by from_at) as bounds, min(from_at) as from_at, max(to_at) as to_at,
             case when bool_and(${isAt('day')}) then 'day' when bool_and(${isAt('hour')}) then 'hour' else 'minute' end as grain
        from bins
    ), ${selectedSeries(tx, selection)}, ${mergeParts(sql`
      select width_bucket(a.bucket_at, (select bounds from ends)) as bin, ${partColumns} ${fromAggregates}
       where a.tenant_id = ${tenantOf(tx)} and a.series_id = any (array(select unnest(ids) from selected))
         and a.grain = (select grain from ends)
         and a.bucket_at >= (select from_at from ends) and a.bucket_at < (select to_at from ends)`)},
    ${percentilesOf(percentiles)}
    select (extract(epoch from b.from_at) * 1000)::float8 as from_ms, (extract(epoch from b.to_at) * 1000)::float8 as to_ms,
           selected.count as series, ${statisticsColumns}
      from bins b
     cross join selected
      left join merged m on m.bin = b.bin
      left join percentiles p on p.bin = b.bin
     order by b.bin`);
  refuseManySeries(rows[0]?.series ?? 0);
  const points = rows.map((row) => {
    const window = { from: new Date(row.from_ms), to: new Date(row.to_ms) };
    return { ...window, ...statisticsOf(row, percentiles, secondsOf(window)) };
  });
  return gaps === 'empty' ? points : gaps === 'omit' ? points.filter(hasValues) : carriedForward(points);
}

type Step = z.output<typeof ReadSeriesInput>['step'];

/**
 * Windows of time that follow each other without a gap, those of the window's days among them. From the period before: where
 * clocks go back over midnight, the first time round that hour belongs to it and not to the day that it names.
 */
function binsOf(step: Step, { from, to }: TimeWindow, timeZone: string): SQL {
  const calendar = typeof step === 'string' ? step : 'day';
  const length = sql`${`1 ${calendar}`}::text::interval`;
  const periods = sql`
    select local at time zone ${timeZone} as from_at, (local + ${length}) at time zone ${timeZone} as to_at
      from generate_series(date_trunc(${calendar}, ${timeParameter(from)} at time zone ${timeZone}) - ${length},
                           ${timeParameter(to)} at time zone ${timeZone}, ${length}) as local`;
  if (typeof step === 'string') return periods;
  const minutes = sql`interval '1 minute' * ${step.minutes}::int`;
  return sql`
    select at as from_at, least(at + ${minutes}, day.to_at) as to_at
      from (${periods}) day, generate_series(day.from_at, day.to_at - interval '1 millisecond', ${minutes}) as at`;
}

const isAt = (grain: 'day' | 'hour') => {
  const unit = sql.raw(`'${grain}'`);
  return sql`date_trunc(${unit}, from_at, 'UTC') = from_at and date_trunc(${unit}, to_at, 'UTC') = to_at`;
};

const stepMinutes = { day: 23 * 60, week: 7 * MINUTES_A_DAY - 60, month: 28 * MINUTES_A_DAY - 60 } as const;

function refuseManyPoints({ from, to }: TimeWindow, step: Step): void {
  const minutes = typeof step === 'string' ? stepMinutes[step] : step.minutes;
  const points = Math.ceil((to.getTime() - from.getTime()) / (minutes * 60_000));
  if (points <= TELEMETRY_LIMITS.points) return;
  throw new DomainError(
    'invalid_input',
    `The window has about ${points} points; at most ${TELEMETRY_LIMITS.points} are read at once. Take a longer step or a shorter window.`,
    { details: { limit: TELEMETRY_LIMITS.points, got: points } },
  );
}

const hasValues = ({ perSecond }: TelemetryPoint) => perSecond > 0;

/** What was known last, in the place of what is not known. Counts and rates stay: nothing happened. */
function carriedForward(points: readonly TelemetryPoint[]): readonly TelemetryPoint[] {
  let last: TelemetryPoint | undefined;
  return points.map((point) => {
    if (point.n > 0) last = point;
    if (point.n > 0 || last === undefined) return point;
    const { mean, variance, min, max, percentiles } = last;
    return { ...point, mean, variance, min, max, percentiles };
  });
}

function isTimeZone(name: string): boolean {
  // Short names are abbreviations to PostgreSQL: CET has no summer there, and IST is Israel's. An offset such as +02:00 is
  // no name, or means the opposite.
  if (name !== 'UTC' && !/^[A-Za-z_]+\//.test(name)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
