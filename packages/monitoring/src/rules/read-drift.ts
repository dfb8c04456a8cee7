import { int8Array, jsonArray, type TenantTx, tenantOf, textArray, timestampArray } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { dataDrift, monitoringDriftChecks } from '../drift/schema.ts';
import type { Reading, SourceOf, Wanted } from './wanted.ts';

/**
 * What the last drift check of each version found, of those that were made in each of the windows: any number of sources in
 * one statement, no lock. A version without a check in the window gives no reading.
 */
export async function readDrift(
  tx: TenantTx,
  wanted: readonly Wanted<SourceOf<'drift'>>[],
): Promise<readonly Reading[]> {
  if (wanted.length === 0) return [];
  const tenant = tenantOf(tx);
  const texts = (pick: (of: SourceOf<'drift'>) => string | undefined) =>
    textArray(wanted.map(({ of }) => pick(of) ?? null));
  const rows = await tx.execute<{ key: number; labels: Readonly<Record<string, string>>; value: number | null }>(sql`
    with wanted as materialized (
      select * from unnest(${int8Array(wanted.map(({ key }) => key))}, ${texts(({ measure }) => measure)},
                           ${texts(({ model }) => model)}, ${texts(({ version }) => version)}, ${texts(({ field }) => field)},
                           ${texts(({ feature }) => feature)}, ${texts(({ test }) => test)},
                           ${jsonArray(wanted.map(({ of }) => of.by ?? []))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.from)))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.to)))})
                    as w (key, measure, model, version, field, feature, test, by, from_at, to_at)
    ), last as materialized (
      select distinct on (w.key, c.model_version_id) w.*, c.id as check_id, v.name as model_name, v.version as version_name
        from wanted w
        join ${monitoringDriftChecks} c
          on c.tenant_id = ${tenant} and c.created_at >= w.from_at and c.created_at < w.to_at
        join ${modelRegistry} v on v.tenant_id = ${tenant} and v.id = c.model_version_id
       where (w.model is null or v.name = w.model) and (w.version is null or v.version = w.version)
       order by w.key, c.model_version_id, c.created_at desc, c.id desc
    ), found as (
      select l.key, l.measure, d.verdict, d.distance, d.adjusted_p,
             (select coalesce(jsonb_object_agg(k, case k when 'model' then l.model_name when 'version' then l.version_name
                                                         when 'field' then d.field when 'feature' then d.name
                                                         else d.test end), '{}')
                from jsonb_array_elements_text(l.by) k) as labels
        from last l
        join ${dataDrift} d on d.tenant_id = ${tenant} and d.check_id = l.check_id
       where (l.field is null or d.field = l.field) and (l.feature is null or d.field = 'feature' and d.name = l.feature)
         and (l.test is null or d.test = l.test)
    )
    select key::int as key, labels,
           case measure when 'drifted' then (count(*) filter (where verdict = 'drift'))::float8
                        when 'distance' then max(distance)
                        else min(adjusted_p) end as value
      from found
     group by key, measure, labels`);
  return rows;
}
