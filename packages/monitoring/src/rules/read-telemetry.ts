import {
  float8Array,
  int8Array,
  jsonArray,
  type TenantTx,
  tenantOf,
  textArray,
  timestampArray,
} from '@mcp-hub/db-core';
import { histogramValue } from '@mcp-hub/telemetry';
import { mlTelemetryAggregates, mlTelemetrySeries } from '@mcp-hub/telemetry/schema';
import { sql } from 'drizzle-orm';
import type { telemetryStatistics } from './sources.ts';
import type { Reading, SourceOf, Wanted } from './wanted.ts';
import { piecesOf, type Window } from './window.ts';

type Statistic = (typeof telemetryStatistics)[number];

const shares: Partial<Readonly<Record<Statistic, number>>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

interface Row extends Record<string, unknown> {
  readonly key: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly n: number;
  readonly total: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly percentile: number | null;
}

/**
 * What telemetry's aggregates come to in each of the windows, by group of series: any number of sources in one statement,
 * no lock. A series that has no values in the window gives null, a metric that was never recorded no reading.
 *
 * From days, hours and minutes, as few as make up a window. A source with a subject goes through the series' unique index,
 * and each of its pieces through the primary key of the aggregates.
 */
export async function readTelemetry(
  tx: TenantTx,
  wanted: readonly Wanted<SourceOf<'telemetry'>>[],
): Promise<readonly Reading[]> {
  if (wanted.length === 0) return [];
  const tenant = tenantOf(tx);
  const windows = new Map<string, number>();
  const pieces: (ReturnType<typeof piecesOf>[number] & { readonly window: number })[] = [];
  const windowOf = (window: Window): number => {
    const text = `${window.from} ${window.to}`;
    const known = windows.get(text);
    if (known !== undefined) return known;
    const number = windows.size;
    windows.set(text, number);
    pieces.push(...piecesOf(window).map((piece) => ({ ...piece, window: number })));
    return number;
  };
  const wantedWindows = wanted.map(({ window }) => windowOf(window));
  const wantedShares = wanted.map(({ of }) => shares[of.statistic] ?? null);
  const hasShares = wantedShares.some((share) => share !== null);
  const column = (name: 'keys' | 'counts') =>
    hasShares ? sql`case when f.share is not null then a.histogram_${sql.raw(name)} end` : sql`null::int8[]`;
  const rows = await tx.execute<Row>(sql`
    with wanted as materialized (
      select w.*, case when by = '[]' then null else array(select jsonb_array_elements_text(by)) end as by_keys
        from unnest(${int8Array(wanted.map(({ key }) => key))}, ${textArray(wanted.map(({ of }) => of.metric))},
                    ${textArray(wanted.map(({ of }) => of.subject ?? null))},
                    ${jsonArray(wanted.map(({ of }) => of.labels ?? {}))}, ${jsonArray(wanted.map(({ of }) => of.by ?? []))},
                    ${int8Array(wantedWindows)}, ${float8Array(wantedShares)})
             as w (key, metric, subject, labels, by, win, share)
    ), piece as materialized (
      select * from unnest(${int8Array(pieces.map(({ window }) => window))}, ${textArray(pieces.map(({ grain }) => grain))},
                           ${timestampArray(pieces.map(({ from }) => new Date(from)))},
                           ${timestampArray(pieces.map(({ to }) => new Date(to)))}) as p (win, grain, from_at, to_at)
    ), matching as (
      select w.key, w.win, w.share, w.by_keys, s.id, s.subject, s.labels
        from wanted w
        join ${mlTelemetrySeries} s on s.tenant_id = ${tenant} and s.metric = w.metric and s.subject = w.subject
       where w.subject is not null and s.labels @> w.labels
      union all
      select w.key, w.win, w.share, w.by_keys, s.id, s.subject, s.labels
        from wanted w
        join ${mlTelemetrySeries} s on s.tenant_id = ${tenant} and s.metric = w.metric
       where w.subject is null and s.labels @> w.labels
    ), found as materialized (
      select m.key, m.win, m.share, m.id,
             case when m.by_keys is null then '{}'::jsonb
                  else (select jsonb_object_agg(k, case k when 'subject' then m.subject else coalesce(m.labels ->> k, '') end)
                          from unnest(m.by_keys) k) end as labels
        from matching m
    ), parts as ${hasShares ? sql`materialized` : sql`not materialized`} (
      select f.key, f.labels, f.share, a.series_id, a.bucket_at, a.n, a.mean, a.min, a.max,
             ${column('keys')} as keys, ${column('counts')} as counts
        from found f
        left join lateral (
             select a.* from piece p
               join ${mlTelemetryAggregates} a
                 on a.tenant_id = ${tenant} and a.series_id = f.id and a.grain = p.grain
                and a.bucket_at >= p.from_at and a.bucket_at < p.to_at
              where p.win = f.win) a on true
    ), merged as (
      select key, labels, share, coalesce(sum(n), 0)::float8 as n,
             sum(n * mean order by series_id, bucket_at) as total, min(min) as min, max(max) as max
        from parts
       group by key, labels, share
    )${
      hasShares
        ? sql`, running as (
      -- The value at the rank floor(share * (n - 1)) in ascending order, as telemetry's own reads have it.
      select p.key, p.labels, h.bucket, sum(sum(h.count)) over (partition by p.key, p.labels order by h.bucket) as upto
        from parts p, unnest(p.keys, p.counts) as h (bucket, count)
       group by p.key, p.labels, h.bucket
    ), ranked as (
      select r.key, r.labels, min(r.bucket) as bucket
        from running r join merged m using (key, labels)
       where r.upto > floor(m.share * (m.n - 1))
       group by r.key, r.labels
    )
    select m.key::int as key, m.labels, m.n, m.total, m.min, m.max,
           least(greatest(${histogramValue(sql`r.bucket`)}, m.min), m.max) as percentile
      from merged m left join ranked r using (key, labels)`
        : sql`
    select key::int as key, labels, n, total, min, max, null::float8 as percentile from merged`
    }`);
  const statistics = new Map(wanted.map(({ key, of }) => [key, of.statistic]));
  return rows.map((row) => ({
    key: row.key,
    labels: row.labels,
    value: valueOf(row, statistics.get(row.key) ?? 'mean'),
  }));
}

function valueOf({ n, total, min, max, percentile }: Row, statistic: Statistic): number | null {
  // No values are a count like any other.
  if (statistic === 'count') return n;
  if (n === 0 || total === null) return null;
  switch (statistic) {
    case 'mean':
      return total / n;
    case 'sum':
      return total;
    case 'min':
      return min;
    case 'max':
      return max;
    default:
      return percentile;
  }
}
