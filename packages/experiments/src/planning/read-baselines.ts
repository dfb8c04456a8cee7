import {
  DomainError,
  float8Array,
  nameInput,
  parseInput,
  type TenantTx,
  textArray,
  timeParameter,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { keyName } from '../design/experiment-inputs.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { expressionInput, queryInput } from '../query-field.ts';

const outcomeName = nameInput(EXPERIMENT_LIMITS.outcomeLength);
const spanMs = z.int().min(1).max(EXPERIMENT_LIMITS.windowMs);

/** As of the metric that is planned. */
const BaselineMetricInput = z.strictObject({
  key: keyName,
  kind: z.enum(['mean', 'proportion']),
  /** Default: those of its key's name. */
  outcome: outcomeName.optional(),
  delayMs: z.int().min(0).max(EXPERIMENT_LIMITS.windowMs).optional(),
  /** Without one outcomes count until `to`. */
  windowMs: spanMs.nullish(),
  cupedMs: spanMs.nullish(),
});

export const ReadBaselinesInput = z
  .strictObject({
    /** The outcomes: a Drizzle subquery, read inside the tenant's transaction, and which of its columns are what. */
    rows: queryInput,
    columns: z.strictObject({
      outcome: expressionInput,
      unit: expressionInput,
      value: expressionInput,
      at: expressionInput,
    }),
    /** The outcome that stands for a unit's exposure, such as a visit: its first one from `from` on. */
    entry: outcomeName,
    metrics: z.array(BaselineMetricInput).min(1).max(EXPERIMENT_LIMITS.metrics),
    from: z.date(),
    /** Not included. Delays and windows of the metrics must be over by now for units that enter until then. */
    to: z.date(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be later than from' });
export type ReadBaselinesInput = Readonly<z.input<typeof ReadBaselinesInput>>;

export interface MetricBaseline {
  readonly key: string;
  readonly kind: 'mean' | 'proportion';
  readonly baseline: {
    readonly mean: number;
    /** Of one unit, by n - 1. */
    readonly variance: number;
    /** 0 without a CUPED window, and where one of the two does not vary. */
    readonly covariateCorrelation: number;
  };
  readonly completeAfterMs: number;
}

/** What planExperiment takes, beside the effects that matter. */
export interface Baselines {
  /** That entered in the time. */
  readonly units: number;
  readonly unitsPerDay: number;
  readonly metrics: readonly MetricBaseline[];
}

/**
 * What metrics were, and how many units came a day, as if an experiment without a change had run from `from` to `to`: units
 * enter by their first `entry`, and their outcomes count in the metric's window from then on, as in an analysis.
 *
 * One statement, no lock. Reads all outcomes of the time that are named, and of the longest window around it.
 *
 * @throws DomainError `failed_precondition` where fewer than two units entered; `invalid_input` where a window is not over.
 */
export async function readBaselines(tx: TenantTx, input: ReadBaselinesInput): Promise<Baselines> {
  const given = parseInput(ReadBaselinesInput, input);
  const { from, to } = given;
  const metrics = given.metrics.map((metric) => withDefaults(metric));
  const longest = Math.max(...metrics.map(({ completeAfterMs }) => completeAfterMs));
  const before = Math.max(0, ...metrics.map(({ cupedMs }) => cupedMs ?? 0));
  const { outcome, unit, value, at } = given.columns;
  const names = [...new Set([given.entry, ...metrics.map((metric) => metric.outcome)])];
  const ms = (span: string) => sql`${sql.raw(span)} * interval '1 millisecond'`;
  const rows = await tx.execute<Sums>(sql`
    with events as materialized (
      select ${outcome}::text as outcome, ${unit}::text as unit, ${value}::float8 as value, ${at}::timestamptz as at
        from ${given.rows}
       where ${outcome} = any (${textArray(names)})
         and ${at} >= ${timeParameter(new Date(from.getTime() - before))}
         and ${at} < ${timeParameter(new Date(to.getTime() + longest))}
    ), entries as materialized (
      select unit, min(at) as first from events
       where outcome = ${given.entry} and at >= ${timeParameter(from)} and at < ${timeParameter(to)}
       group by unit
    ), metrics as (
      select *
        from unnest(${textArray(metrics.map((metric) => metric.outcome))},
                    ${textArray(metrics.map(({ kind }) => kind))},
                    ${float8Array(metrics.map(({ delayMs }) => delayMs))},
                    ${float8Array(metrics.map(({ windowMs }) => windowMs))},
                    ${float8Array(metrics.map(({ cupedMs }) => cupedMs))})
             with ordinality as m (outcome, kind, delay, width, cuped, place)
    ), counted as (
      select m.place, m.kind, e.unit, e.first, v.value, v.at,
             v.at >= e.first + ${ms('m.delay')}
               and case when m.width is null then v.at < ${timeParameter(to)}
                        else v.at < e.first + ${ms('(m.delay + m.width)')} end as during,
             coalesce(v.at >= e.first - ${ms('m.cuped')} and v.at < e.first, false) as before
        from metrics m
        join events v on v.outcome = m.outcome
        join entries e on e.unit = v.unit
    ), pairs as (
      select place, unit,
             case when kind = 'proportion' then count(*) filter (where during) > 0 end as any_during,
             case when kind = 'proportion' then count(*) filter (where before) > 0 end as any_before,
             coalesce(sum(value) filter (where during), 0) as during,
             coalesce(sum(value) filter (where before), 0) as before
        from counted
       where during or before
       group by place, kind, unit
    ), valued as (
      select place, coalesce(any_during::int::float8, during) as y, coalesce(any_before::int::float8, before) as x from pairs
    )
    select m.place::int, (select count(*)::int from entries) as units, count(v.y)::int as n,
           coalesce(avg(v.y), 0) as mean_y, coalesce(avg(v.x), 0) as mean_x,
           coalesce(regr_syy(v.y, v.x), 0) as m2_y, coalesce(regr_sxx(v.y, v.x), 0) as m2_x,
           coalesce(regr_sxy(v.y, v.x), 0) as c_xy,
           ${timeParameter(new Date(to.getTime() + longest))} <= app_now() as over
      from metrics m left join valued v using (place)
     group by m.place
     order by m.place`);
  const { units, over } = rows[0] ?? { units: 0, over: true };
  if (!over) {
    throw new DomainError('invalid_input', 'to must lie back by the longest delay and window of the metrics.', {
      details: { field: 'to' },
    });
  }
  if (units < 2) {
    throw new DomainError('failed_precondition', 'Fewer than two units entered in this time. Name a longer one.', {
      details: { field: 'entry', units },
    });
  }
  const days = (to.getTime() - from.getTime()) / DAY_MS;
  const read = metrics.flatMap(({ key, kind, completeAfterMs }, place) => {
    const sums = rows[place];
    return sums === undefined ? [] : [{ key, kind, baseline: baselineOf(sums), completeAfterMs }];
  });
  return { units, unitsPerDay: units / days, metrics: read };
}

const DAY_MS = 86_400_000;

function withDefaults({
  key,
  kind,
  outcome = key,
  delayMs = 0,
  windowMs,
  cupedMs,
}: z.output<typeof BaselineMetricInput>) {
  const width = windowMs ?? null;
  // Without a window outcomes count until `to`, so that there is nothing to wait for.
  return {
    key,
    kind,
    outcome,
    delayMs,
    windowMs: width,
    cupedMs: cupedMs ?? null,
    completeAfterMs: width === null ? 0 : delayMs + width,
  };
}

/** Of the units that have any outcome. */
interface Sums extends Record<string, unknown> {
  readonly units: number;
  readonly n: number;
  readonly mean_y: number;
  readonly mean_x: number;
  readonly m2_y: number;
  readonly m2_x: number;
  readonly c_xy: number;
  readonly over: boolean;
}

/** With the units that have no outcome, whose values are 0 (Chan et al. 1979, equation 2.1b). */
function baselineOf(sums: Sums): MetricBaseline['baseline'] {
  const { units, n } = sums;
  const between = (n * (units - n)) / units;
  const m2Y = sums.m2_y + sums.mean_y ** 2 * between;
  const m2X = sums.m2_x + sums.mean_x ** 2 * between;
  const cXY = sums.c_xy + sums.mean_x * sums.mean_y * between;
  const covariateCorrelation = m2X > 0 && m2Y > 0 ? Math.max(-1, Math.min(1, cXY / Math.sqrt(m2X * m2Y))) : 0;
  return { mean: (sums.mean_y * n) / units, variance: m2Y / (units - 1), covariateCorrelation };
}
