import type { TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { refreshAggregates } from '../../src/index.ts';

/** A row of the aggregates as text, which tells floats apart to the last bit. */
export interface StoredRow extends Record<string, unknown> {
  readonly subject: string;
  readonly grain: 'minute' | 'hour' | 'day';
  readonly at_ms: number;
  readonly n: string;
  readonly mean: string | null;
  readonly m2: string | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly nan_count: string;
  readonly infinity_count: string;
  readonly negative_infinity_count: string;
  readonly keys: string;
  readonly counts: string;
}

export async function storedRows(tx: TenantTx): Promise<readonly StoredRow[]> {
  return await tx.execute<StoredRow>(sql`
    select s.subject, a.grain, (extract(epoch from a.bucket_at) * 1000)::float8 as at_ms, a.n::text, a.mean::text,
           a.m2::text, a.min::text, a.max::text, a.nan_count::text, a.infinity_count::text,
           a.negative_infinity_count::text, a.histogram_keys::text as keys, a.histogram_counts::text as counts
      from ml_telemetry_aggregates a
      join ml_telemetry_series s on s.id = a.series_id
     order by s.subject, a.grain, a.bucket_at`);
}

/** Refreshes until nothing is left. */
export async function refreshAll(tx: TenantTx, limit = 1_000): Promise<number> {
  for (let total = 0; ; ) {
    const { minutes, changed } = await refreshAggregates(tx, { limit });
    if (minutes === 0) return total;
    total += changed;
  }
}

export interface Measured {
  readonly subject: string;
  readonly at: Date;
  readonly value: number;
}

const lengths = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const lnGamma = Math.log(1.01 / 0.99);

/** What the rows ought to say, computed here from all values at once. */
export function expectedRows(events: readonly Measured[]) {
  const groups = new Map<string, { subject: string; grain: keyof typeof lengths; atMs: number; values: number[] }>();
  for (const { subject, at, value } of events) {
    for (const grain of ['minute', 'hour', 'day'] as const) {
      const atMs = Math.floor(at.getTime() / lengths[grain]) * lengths[grain];
      const key = `${subject} ${grain} ${atMs}`;
      const group = groups.get(key) ?? { subject, grain, atMs, values: [] };
      group.values.push(value);
      groups.set(key, group);
    }
  }
  const rows = [...groups.values()].map(({ subject, grain, atMs, values }) => {
    const finite = values.filter(Number.isFinite);
    const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
    const histogram = new Map<number, number>();
    for (const value of finite) {
      const key = value === 0 ? 0 : Math.sign(value) * (40_000 + Math.ceil(Math.log(Math.abs(value)) / lnGamma));
      histogram.set(key, (histogram.get(key) ?? 0) + 1);
    }
    return {
      subject,
      grain,
      atMs,
      n: finite.length,
      mean: finite.length === 0 ? null : mean,
      m2: finite.length === 0 ? null : finite.reduce((sum, value) => sum + (value - mean) ** 2, 0),
      min: finite.length === 0 ? null : Math.min(...finite) + 0,
      max: finite.length === 0 ? null : Math.max(...finite) + 0,
      nan: values.filter(Number.isNaN).length,
      infinity: values.filter((value) => value === Number.POSITIVE_INFINITY).length,
      negativeInfinity: values.filter((value) => value === Number.NEGATIVE_INFINITY).length,
      histogram: [...histogram].sort(([one], [other]) => one - other),
    };
  });
  return rows.sort((one, other) => {
    const [left, right] = [one, other].map((row) => `${row.subject} ${row.grain} ${row.atMs}`);
    return left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1;
  });
}
