import { type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { TRAINING_LIMITS } from '../limits.ts';
import {
  type MetricGoal,
  trainingMetricKeys,
  trainingMetrics,
  trainingParams,
  trainingRuns,
  trainingTags,
} from '../schema.ts';
import type { ArrangedPoints, KeySummary, SummaryPoint } from './arrange-points.ts';

/** Key and value, each key once. */
type Pairs = ReadonlyMap<string, string>;

export interface Batch {
  readonly runId: string;
  readonly fencingToken: number;
  readonly points: ArrangedPoints;
  readonly goals: ReadonlyMap<string, MetricGoal>;
  readonly params: Pairs;
  readonly tags: Pairs;
}

/** What the statement found. Where anything speaks against the batch, nothing of it was written. */
export interface BatchVerdict extends Record<string, unknown> {
  readonly deleted: boolean;
  readonly lease_lost: boolean;
  /** The index of the first param that has another value already. */
  readonly conflicting_param: number | null;
  /** Metric keys that the run would have with this batch. */
  readonly key_count: number;
  /** Points that were not stored before. */
  readonly new_points: number;
}

/**
 * Looks whether the batch may be written, and writes all of it or nothing, in one statement; undefined where there is no
 * such run. The caller holds the run's row, or sends this behind the statement that takes it.
 *
 * - Points are inserted without ON CONFLICT, which takes 2.5 times as long (ADR 0014): nobody else writes to the run. A key
 *   whose points all come after its latest is known to have none of them; otherwise each is looked up.
 * - No join depends on estimates, which for arrays in a prepared statement are ten rows, whatever comes: points find the
 *   id of their key by a subscript.
 */
export async function storeBatch(tx: TenantTx, batch: Batch): Promise<BatchVerdict | undefined> {
  const tenant = tenantOf(tx);
  const { runId, points } = batch;
  const keys = givenKeys(batch);
  const hasKeys = keys.length > 0;
  const parts: SQL[] = [
    sql`run as materialized (
      select r.deleted_at is not null as deleted,
             r.fencing_token <> ${batch.fencingToken}::bigint as lease_lost,
             r.last_metric_key_id
        from ${trainingRuns} r
       where r.tenant_id = ${tenant} and r.id = ${runId}::uuid
    )`,
  ];
  if (hasKeys) parts.push(keysOfBatch(tenant, runId, keys));
  if (batch.params.size > 0) parts.push(paramsOfBatch(tenant, runId, batch.params));
  parts.push(sql`verdict as materialized (
      select *, not deleted and not lease_lost and conflicting_param is null
                and key_count <= ${TRAINING_LIMITS.metricKeys} as accepted
        from (select deleted, lease_lost,
                     ${batch.params.size > 0 ? firstConflict : sql`null::int`} as conflicting_param,
                     ${hasKeys ? keyCount : sql`last_metric_key_id`} as key_count
                from run) found
    )`);
  if (batch.params.size > 0) parts.push(insertParams(tenant, runId));
  if (batch.tags.size > 0) parts.push(upsertTags(tenant, runId, batch.tags));
  if (points.count > 0) parts.push(insertPoints(tenant, runId, points));
  if (hasKeys) parts.push(upsertKeys(tenant, runId, points.count > 0), countKeys(tenant, runId));
  const [verdict] = await tx.execute<BatchVerdict>(sql`
    with ${sql.join(parts, sql`, `)}
    select deleted, lease_lost, conflicting_param, key_count,
           ${points.count > 0 ? sql`(select count(*) from stored)::int` : sql`0`} as new_points
      from verdict`);
  return verdict;
}

interface GivenKey {
  readonly key: string;
  readonly goal: MetricGoal | undefined;
  /** Undefined for a key that has only a goal here. */
  readonly summary: KeySummary | undefined;
}

function givenKeys({ points, goals }: Batch): readonly GivenKey[] {
  const withPoints = points.keys.map((key, index) => ({ key, goal: goals.get(key), summary: points.summaries[index] }));
  const known = new Set(points.keys);
  const goalsOnly = [...goals].filter(([key]) => !known.has(key));
  return [...withPoints, ...goalsOnly.map(([key, goal]) => ({ key, goal, summary: undefined }))];
}

// Ids are given in the order of the keys, so that key_id also sorts them. `rank` is the place among the batch's ids.
const keysOfBatch = (tenant: string, runId: string, keys: readonly GivenKey[]): SQL => {
  const columns = (which: (summary: KeySummary) => SummaryPoint | undefined) => {
    const found = keys.map(({ summary }) => (summary === undefined ? undefined : which(summary)));
    return sql`${int8Text(found.map((point) => point?.step))}, ${timeText(found.map((point) => point?.time))},
               ${float8Text(found.map((point) => point?.value))}`;
  };
  return sql`given as materialized (
      select g.ix::int as ix, g.key, g.goal, k.key_id as known_id,
             ${timeOf(sql`g.first_at`, sql`g.first_step`)} as first_at,
             g.first_step, g.latest_step, ${timeOf(sql`g.latest_at`, sql`g.latest_step`)} as latest_at, g.latest_value,
             g.min_step, ${timeOf(sql`g.min_at`, sql`g.min_step`)} as min_at, g.min_value,
             g.max_step, ${timeOf(sql`g.max_at`, sql`g.max_step`)} as max_at, g.max_value,
             k.latest_step as known_step, k.latest_at as known_at
        from unnest(${textArray(keys.map(({ key }) => key))}, ${textArray(keys.map(({ goal }) => goal ?? null))},
                    ${columns(({ first }) => first)}, ${columns(({ latest }) => latest)},
                    ${columns(({ min }) => min)}, ${columns(({ max }) => max)}) with ordinality
             as g (key, goal, first_step, first_at, first_value, latest_step, latest_at, latest_value,
                   min_step, min_at, min_value, max_step, max_at, max_value, ix)
        left join ${trainingMetricKeys} k on k.tenant_id = ${tenant} and k.run_id = ${runId}::uuid and k.key = g.key
    ), numbered as materialized (
      select given.*,
             coalesce(known_id, (select last_metric_key_id from run)
                                + row_number() over (partition by known_id is null order by ix))::int as key_id,
             known_step is null or (first_step, first_at) > (known_step, known_at) as appends
        from given
    ), ids as materialized (
      select array_agg(key_id order by ix) as key_ids, array_agg(appends order by ix) as appends,
             (count(*) filter (where known_id is null))::int as new_keys
        from numbered
    )`;
};

/** A time of the batch; the transaction's where the batch bears none, and null where there is no point. */
const timeOf = (seconds: SQL, step: SQL): SQL =>
  sql`case when ${seconds} is not null then to_timestamp(${seconds})::timestamptz(3)
           when ${step} is not null then (select app_now())::timestamptz(3) end`;

const keyCount = sql`last_metric_key_id + (select new_keys from ids)`;

const paramsOfBatch = (tenant: string, runId: string, params: Pairs): SQL => sql`param as materialized (
      select p.key, p.value, p.ix::int as ix, known.value as known_value
        from unnest(${textArray([...params.keys()])}, ${textArray([...params.values()])}) with ordinality
             as p (key, value, ix)
        left join ${trainingParams} known
          on known.tenant_id = ${tenant} and known.run_id = ${runId}::uuid and known.key = p.key
    )`;

const firstConflict = sql`(select min(ix) - 1 from param where known_value <> value)`;

const insertParams = (tenant: string, runId: string): SQL => sql`stored_param as (
      insert into ${trainingParams} (tenant_id, run_id, key, value)
      select ${tenant}, ${runId}::uuid, key, value
        from param, verdict
       where accepted and known_value is null
    )`;

const upsertTags = (tenant: string, runId: string, tags: Pairs): SQL => sql`stored_tag as (
      insert into ${trainingTags} as t (tenant_id, run_id, key, value)
      select ${tenant}, ${runId}::uuid, tag.key, tag.value
        from verdict, unnest(${textArray([...tags.keys()])}, ${textArray([...tags.values()])}) as tag (key, value)
       where accepted
          on conflict (tenant_id, run_id, key) do update
         set value = excluded.value, updated_at = app_now()
       where t.value <> excluded.value
    )`;

const insertPoints = (tenant: string, runId: string, points: ArrangedPoints): SQL => {
  const timed = !Number.isNaN(points.times[0] ?? Number.NaN);
  const at = timed ? sql`to_timestamp(p.at)::timestamptz(3)` : sql`(select app_now())::timestamptz(3)`;
  const columns = [
    sql`${`{${points.keyIndexes.map((index) => index + 1).join(',')}}`}::text::int4[]`,
    int8Text(points.steps),
    float8Text(points.values),
    ...(timed ? [timeText(points.times)] : []),
  ];
  // A scalar subselect and not EXISTS, which the planner may answer by a hash of the whole table.
  return sql`stored as (
      insert into ${trainingMetrics} (tenant_id, run_id, key_id, step, at, value)
      select ${tenant}, ${runId}::uuid, (select key_ids from ids)[p.ix], p.step, ${at}, p.value
        from unnest(${sql.join(columns, sql`, `)}) as p (ix, step, value${timed ? sql`, at` : sql``})
       where (select accepted from verdict)
         and ((select appends from ids)[p.ix]
              or (select true from ${trainingMetrics} m
                   where m.tenant_id = ${tenant} and m.run_id = ${runId}::uuid
                     and m.key_id = (select key_ids from ids)[p.ix]
                     and m.step = p.step and m.at = ${at} and m.value = p.value) is null)
      returning key_id
    )`;
};

const upsertKeys = (tenant: string, runId: string, hasPoints: boolean): SQL => sql`${
  hasPoints
    ? sql`counted as materialized (
      select array_agg(points order by key_id) as points
        from (select key_id, count(*) - 1 as points
                from (select key_id from stored union all select key_id from numbered) ids_of_both
               group by key_id) counts
    ), `
    : sql``
}stored_key as (
      insert into ${trainingMetricKeys} as k
             (tenant_id, run_id, key, key_id, point_count, goal, latest_step, latest_at, latest_value,
              min_step, min_at, min_value, max_step, max_at, max_value)
      select ${tenant}, ${runId}::uuid, key, key_id,
             ${hasPoints ? sql`(select points from counted)[row_number() over (order by key_id)]` : sql`0`},
             goal, latest_step, latest_at, latest_value, min_step, min_at, min_value, max_step, max_at, max_value
        from numbered
       where (select accepted from verdict)
          on conflict (tenant_id, run_id, key) do update
         set point_count  = k.point_count + excluded.point_count,
             goal         = coalesce(excluded.goal, k.goal),
             ${merged(
               'latest',
               sql`k.latest_step is null or (excluded.latest_step, excluded.latest_at, excluded.latest_value)
                                                              > (k.latest_step, k.latest_at, k.latest_value)`,
             )},
             ${merged(
               'min',
               sql`k.min_step is null or (excluded.min_value, excluded.min_step, excluded.min_at)
                                                        < (k.min_value, k.min_step, k.min_at)`,
             )},
             ${merged(
               'max',
               sql`k.max_step is null or (-excluded.max_value, excluded.max_step, excluded.max_at)
                                                        < (-k.max_value, k.max_step, k.max_at)`,
             )}
       where excluded.point_count > 0 or excluded.goal <> coalesce(k.goal, '')
    )`;

/** Where the condition is unknown, there is no such point in the batch. */
function merged(which: 'latest' | 'min' | 'max', isNew: SQL): SQL {
  const column = (part: string) => sql.raw(`${which}_${part}`);
  const set = (part: string) =>
    sql`${column(part)} = case when ${isNew} then excluded.${column(part)} else k.${column(part)} end`;
  return sql.join(['step', 'at', 'value'].map(set), sql`, `);
}

const countKeys = (tenant: string, runId: string): SQL => sql`counted_keys as (
      update ${trainingRuns} r
         set last_metric_key_id = key_count
        from verdict
       where r.tenant_id = ${tenant} and r.id = ${runId}::uuid and accepted and key_count > r.last_metric_key_id
    )`;

// Array literals of numbers need no quotes, which the helpers of db-core write around everything: 100,000 points make
// four such texts.
const arrayOf = (elements: readonly (number | undefined)[]) =>
  `{${elements.map((element) => element ?? 'NULL').join(',')}}`;
const int8Text = (elements: readonly (number | undefined)[]) => sql`${arrayOf(elements)}::text::int8[]`;
const float8Text = (elements: readonly (number | undefined)[]) => sql`${arrayOf(elements)}::text::float8[]`;

/** Seconds since 1970, which the server reads 2.5 times as fast as a text; NULL where there is none. */
const timeText = (times: readonly (number | undefined)[]) =>
  float8Text(times.map((time) => (time === undefined || Number.isNaN(time) ? undefined : time / 1_000)));
