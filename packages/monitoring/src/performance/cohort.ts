import { idFloor, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionLabelHistory, predictionLabels, predictions } from '@mcp-hub/predictions/schema';
import { type SQL, sql } from 'drizzle-orm';

/** The predictions of a version in a window of time. */
export interface Cohort {
  readonly versionId: string;
  readonly modelId: string;
  readonly from: Date;
  readonly to: Date;
}

/**
 * A cohort's predictions with what was known of each when it was `ageMs` old, as an item of FROM with the name c: `truth` is
 * the class observed last until then, null before any was. A label that was corrected later counts as it was.
 */
export function cohortAtAge(tx: TenantTx, { versionId, modelId, from, to }: Cohort, ageMs: number): SQL {
  const tenant = tenantOf(tx);
  const until = sql`p.predicted_at + interval '1 millisecond' * ${ageMs}::float8`;
  return sql`(
    select p.label as predicted, p.score, p.predicted_at, t.observed_at,
           coalesce(case when l.observed_at <= ${until} then coalesce(l.label, l.value::text) end, t.truth) as truth
      from ${predictions} p
      -- By the key, a prediction at a time: joined with statistics of a table that was empty, all were compared with all.
      left join lateral (
        select l.label, l.value, l.observed_at
          from ${predictionLabels} l
         where l.tenant_id = ${tenant} and l.model_id = ${modelId}::uuid and l.subject = p.subject
        offset 0) l on true
      left join lateral (
        select coalesce(h.label, h.value::text) as truth, h.observed_at
          from ${predictionLabelHistory} h
         where l.observed_at > ${until}
           and h.tenant_id = ${tenant} and h.model_id = ${modelId}::uuid and h.subject = p.subject
           and h.observed_at <= ${until}
         order by h.observed_at desc
         limit 1) t on true
     where p.tenant_id = ${tenant} and p.model_version_id = ${versionId}::uuid
       and p.id >= ${idFloor(from)}::uuid and p.id < ${idFloor(to)}::uuid) c`;
}
