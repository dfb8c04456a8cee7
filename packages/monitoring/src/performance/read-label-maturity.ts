import { float8Array, idFloor, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionLabelHistory, predictionLabels, predictionLedgers, predictions } from '@mcp-hub/predictions/schema';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { wilsonInterval } from '@mcp-hub/stats';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';

const HOUR_MS = 3_600_000;
const defaultAges = [1, 6, 24, 48, 72, 168, 336, 720].map((hours) => hours * HOUR_MS);

export const ReadLabelMaturityInput = z
  .strictObject({
    ...versionSubject,
    /** When they were predicted. */
    from: z.date(),
    /** Not included. */
    to: z.date(),
    /** Default: 1 h, 6 h, 1, 2, 3, 7, 14 and 30 days. */
    agesMs: z.array(z.number().min(0)).min(1).max(MONITORING_LIMITS.maturityAges).readonly().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type ReadLabelMaturityInput = Readonly<z.input<typeof ReadLabelMaturityInput>>;

/** How many predictions had a label at an age. */
export interface LabelMaturity {
  readonly ageMs: number;
  /** Predictions that are at least so old: younger ones say nothing of it. */
  readonly count: number;
  /** Those of them whose truth was observed by that age. */
  readonly known: number;
  /** known / count with its interval of level 0.95; null where none is old enough. */
  readonly share: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * The maturity curve of a version's labels: which share of its predictions is labelled at which age, by when truths were first
 * observed. By it one sees at which age checkPerformance loses little, and how long that is to wait. One statement that reads
 * the window's predictions, no lock.
 */
export async function readLabelMaturity(
  tx: TenantTx,
  input: ReadLabelMaturityInput,
): Promise<readonly LabelMaturity[]> {
  const { from, to, agesMs = defaultAges, ...version } = parseInput(ReadLabelMaturityInput, input);
  const tenant = tenantOf(tx);
  const ages = [...new Set(agesMs)].sort((a, b) => a - b);
  const rows = await tx.execute<{ age_ms: number; count: number; known: number }>(sql`
    with ledger as materialized (
      select model_version_id, model_id from ${predictionLedgers}
       where tenant_id = ${tenant} and model_version_id = ${versionIdOf(tx, version)}
    ), ages as (
      -- The first age at which each is known, and the last that it is old enough for.
      select width_bucket(c.known_ms, (select ${float8Array(ages)})) as known_at,
             width_bucket(c.old_ms, (select ${float8Array(ages)})) as old_enough,
             c.known_ms = any ((select ${float8Array(ages)})::float8[]) as is_exact, count(*)::float8 as n
        from (select (extract(epoch from (select app_now()) - p.predicted_at) * 1000)::float8 as old_ms,
                     (extract(epoch from least(l.observed_at, h.observed_at) - p.predicted_at) * 1000)::float8 as known_ms
                from ledger
                join ${predictions} p on p.tenant_id = ${tenant} and p.model_version_id = ledger.model_version_id
                left join lateral (
                  select l.revision, l.observed_at from ${predictionLabels} l
                   where l.tenant_id = ${tenant} and l.model_id = ledger.model_id and l.subject = p.subject
                  offset 0) l on true
                left join lateral (
                  select min(h.observed_at) as observed_at from ${predictionLabelHistory} h
                   where l.revision > 1 and h.tenant_id = ${tenant} and h.model_id = ledger.model_id
                     and h.subject = p.subject) h on true
               where p.id >= ${idFloor(from)}::uuid and p.id < ${idFloor(to)}::uuid) c
       group by 1, 2, 3
    )
    select a.age_ms, coalesce(sum(n) filter (where old_enough >= a.place), 0)::float8 as count,
           coalesce(sum(n) filter (where old_enough >= a.place
                                     and (known_at < a.place or known_at = a.place and is_exact)), 0)::float8 as known
      from unnest(${float8Array(ages)}) with ordinality as a (age_ms, place)
      left join ages on true
     group by a.place, a.age_ms
     order by a.place`);
  return rows.map(({ age_ms, count, known }) => {
    const interval = wilsonInterval({ successes: known, n: count }).value;
    return {
      ...{ ageMs: age_ms, count, known, share: count === 0 ? null : known / count },
      ...{ lower: interval?.[0] ?? null, upper: interval?.[1] ?? null },
    };
  });
}
