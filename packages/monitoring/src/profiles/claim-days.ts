import { DomainError, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionDayMarks } from '@mcp-hub/predictions/schema';
import { sql } from 'drizzle-orm';
import { monitoringBaselines } from '../baselines/schema.ts';

/** A day of a version that its baseline's profiles do not know all of. */
export interface ClaimedDay {
  readonly baselineId: string;
  readonly versionId: string;
  readonly day: string;
  /** When it begins and ends in the baseline's time zone. */
  readonly from: Date;
  readonly to: Date;
}

interface ClaimedRow extends Record<string, unknown> {
  readonly days: readonly {
    readonly baseline_id: string;
    readonly version_id: string;
    readonly day: string;
    readonly from_ms: number;
    readonly to_ms: number;
  }[];
  readonly more: boolean;
  readonly isolation: string;
}

/**
 * Takes the marks of up to `limit` days whose version nobody else profiles, the oldest marks first, and of each day all its
 * marks. The last baselines of these versions stay locked until the transaction ends. Marks of versions that have no
 * baseline go: one that is made marks its days itself.
 *
 * A day of UTC may lie in two days of the baseline's time zone.
 *
 * @throws DomainError `failed_precondition` above read committed, where what the marks stand for might not be seen.
 */
export async function claimDays(
  tx: TenantTx,
  limit: number,
  versionId: string | undefined,
): Promise<{ readonly days: readonly ClaimedDay[]; readonly more: boolean }> {
  const tenant = tenantOf(tx);
  const ofVersion = versionId === undefined ? sql`` : sql`and model_version_id = ${versionId}::uuid`;
  const [claimed] = await tx.execute<ClaimedRow>(sql`
    with oldest as materialized (
      select model_version_id, day
        from ${predictionDayMarks}
       where tenant_id = ${tenant} ${ofVersion}
       order by id
       limit ${limit}
    ), marked as materialized (
      select distinct model_version_id, day from oldest
    ), last as materialized (
      select v.model_version_id,
             (select b.id from ${monitoringBaselines} b
               where b.tenant_id = ${tenant} and b.model_version_id = v.model_version_id
               order by b.revision desc
               limit 1) as id
        from (select distinct model_version_id from marked) v
    ), locked as materialized (
      select b.id, b.model_version_id, b.time_zone
        from last
        join ${monitoringBaselines} b on b.tenant_id = ${tenant} and b.id = last.id
       order by b.id
         for no key update of b skip locked
    ), cleared as (
      delete from ${predictionDayMarks}
       where tenant_id = ${tenant}
         and id = any (array(
               select d.id
                 from marked m
                 join last using (model_version_id),
                      lateral (select id from ${predictionDayMarks}
                                where tenant_id = ${tenant} and model_version_id = m.model_version_id and day = m.day
                               offset 0) d
                where last.id is null or exists (select from locked l where l.id = last.id)))
    ), days as (
      select distinct l.id as baseline_id, l.model_version_id as version_id, l.time_zone, local.day::date as day
        from marked m
        join locked l using (model_version_id)
       cross join lateral generate_series(
               date_trunc('day', m.day::timestamp at time zone 'UTC' at time zone l.time_zone),
               (m.day + 1)::timestamp at time zone 'UTC' at time zone l.time_zone - interval '1 microsecond',
               interval '1 day') local (day)
    )
    select (select coalesce(jsonb_agg(jsonb_build_object(
                     'baseline_id', baseline_id, 'version_id', version_id, 'day', day,
                     'from_ms', extract(epoch from day::timestamp at time zone time_zone) * 1000,
                     'to_ms', extract(epoch from (day + 1)::timestamp at time zone time_zone) * 1000)
                   order by baseline_id, day), '[]') from days) as days,
           (select count(*) from oldest) = ${limit}
           or exists (select from last where id is not null and not exists (select from locked l where l.id = last.id)) as more,
           current_setting('transaction_isolation') as isolation`);
  if (claimed === undefined) throw new TypeError('A select without FROM gives one row');
  if (claimed.isolation !== 'read committed') {
    throw new DomainError(
      'failed_precondition',
      'Profiles are refreshed in a transaction of isolation level read committed.',
    );
  }
  const days = claimed.days.map(({ baseline_id, version_id, day, from_ms, to_ms }) => ({
    ...{ baselineId: baseline_id, versionId: version_id, day },
    ...{ from: new Date(from_ms), to: new Date(to_ms) },
  }));
  return { days, more: claimed.more };
}
