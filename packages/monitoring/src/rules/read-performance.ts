import { int8Array, jsonArray, type TenantTx, tenantOf, textArray, timestampArray } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { performanceDrift } from '../performance/schema.ts';
import type { Reading, SourceOf, Wanted } from './wanted.ts';

/**
 * What the last look at a metric of each version found, of those that were made in each of the windows: any number of
 * sources in one statement, no lock. Null where that look waits for labels or is undefined; a version without a look in the
 * window gives no reading.
 */
export async function readPerformance(
  tx: TenantTx,
  wanted: readonly Wanted<SourceOf<'performance'>>[],
): Promise<readonly Reading[]> {
  if (wanted.length === 0) return [];
  const tenant = tenantOf(tx);
  const texts = (pick: (of: SourceOf<'performance'>) => string | undefined) =>
    textArray(wanted.map(({ of }) => pick(of) ?? null));
  const rows = await tx.execute<{ key: number; labels: Readonly<Record<string, string>>; value: number | null }>(sql`
    with wanted as materialized (
      select * from unnest(${int8Array(wanted.map(({ key }) => key))}, ${texts(({ measure }) => measure)},
                           ${texts(({ metric }) => metric)}, ${texts(({ basis }) => basis ?? 'realised')},
                           ${texts(({ model }) => model)}, ${texts(({ version }) => version)},
                           ${jsonArray(wanted.map(({ of }) => of.by ?? []))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.from)))},
                           ${timestampArray(wanted.map(({ window }) => new Date(window.to)))})
                    as w (key, measure, metric, basis, model, version, by, from_at, to_at)
    ), last as materialized (
      select distinct on (w.key, p.model_version_id) w.key, w.measure, p.verdict,
             case when p.verdict not in ('immature', 'undefined') then p.value end as value, p.baseline_value,
             (select coalesce(jsonb_object_agg(k, case k when 'model' then v.name else v.version end), '{}')
                from jsonb_array_elements_text(w.by) k) as labels
        from wanted w
        join ${performanceDrift} p
          on p.tenant_id = ${tenant} and p.metric = w.metric and p.basis = w.basis
         and p.created_at >= w.from_at and p.created_at < w.to_at
        join ${modelRegistry} v on v.tenant_id = ${tenant} and v.id = p.model_version_id
       where (w.model is null or v.name = w.model) and (w.version is null or v.version = w.version)
       order by w.key, p.model_version_id, p.created_at desc, p.id desc
    )
    select key::int as key, labels,
           case measure when 'value' then min(value)
                        when 'difference' then min(value - baseline_value)
                        when 'degraded' then case when count(value) > 0
                                                  then (count(*) filter (where verdict = 'degraded'))::float8 end end as value
      from last
     group by key, measure, labels`);
  return rows;
}
