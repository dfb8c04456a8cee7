import { type SQL, sql } from 'drizzle-orm';
import { counted } from './binary-parts-statement.ts';
import type { BinaryStatement } from './binary-statement.ts';

/** Positive rows of the ranges that are looked at again before their rows are. */
const stepLength = 32;

/**
 * The thresholds that may be kept: `candidates` by quantiles, or all where they are few, and `tied`, which are best by F1,
 * Youden or cost.
 *
 * `ranges` begin at a score and end before the next one's. Within one a threshold finds at most the positive rows of its end
 * and at least the negative ones of its beginning, which bounds what it may reach; only ranges that might hold the best are
 * looked at, first in steps and then row by row: of a plateau that is noise, whole parts could not be told apart. The first
 * range has the negative rows before any positive one.
 */
export function thresholdTables(given: BinaryStatement): SQL {
  const isWeighted = given.weight !== undefined;
  const limit = sql`${given.thresholds}::int`;
  const count = (array: 'pos' | 'neg', of: string) => sql.raw(`${counted(isWeighted, array, of)}::float8`);
  const upTo = (array: 'pos' | 'neg', u: string) => count(array, `width_bucket(${u}, whole.${array})`);
  const f1 = (tp: SQL) => sql`2 * ${tp} / (${tp} + fp + whole.positives)`;
  const youden = (tp: SQL) => sql`(${tp} / nullif(whole.positives, 0) - fp / nullif(whole.negatives, 0))`;
  const cost = (tp: SQL) =>
    sql`(fp * ${given.costs.falsePositive}::float8 + (whole.positives - ${tp}) * ${given.costs.falseNegative}::float8)`;
  const [tp, most] = [sql`tp`, sql`most`];
  const slack = (best: string) => sql.raw(`2e-12 * greatest(1, abs(${best}))`);
  const near = (value: SQL, best: string) =>
    sql`abs(${value} - ${sql.raw(best)}) <= ${sql.raw(`1e-12 * greatest(1, abs(${best}))`)}`;
  const place = (criterion: string) =>
    sql.raw(
      `case when is_${criterion} then row_number() over (partition by is_${criterion} order by u) end as ${criterion}_at`,
    );
  const ties = (criterion: string) => sql.raw(`count(*) filter (where is_${criterion}) over () as ${criterion}_ties`);
  // The first score at which a count is reached: of the positive rows looked up by their ranks, or the negative one after them.
  const nextNegatives = isWeighted
    ? sql`unnest(whole.neg[at_weight - 1:at_weight]) from (select *, width_bucket(target - whole.pos_c[at + 1], whole.neg_c) as at_weight from quantiles offset 0) q`
    : sql`whole.neg[ceil(target)::int - at] from quantiles`;
  const mayHoldBest = (seen: string) => sql`${f1(most)} >= ${sql.raw(`${seen}.f1`)} - ${slack(`${seen}.f1`)}
                                   or ${youden(most)} >= ${sql.raw(`${seen}.youden`)} - ${slack(`${seen}.youden`)}
                                   or ${cost(most)} <= ${sql.raw(`${seen}.cost`)} + ${slack(`${seen}.cost`)}`;
  const bestSeen = sql`select max(${f1(tp)}) as f1, max(${youden(tp)}) as youden, min(${cost(tp)}) as cost`;
  const atFirst = sql`${upTo('pos', 'first')} as tp, ${upTo('neg', 'first')} as fp, ${count('pos', 'z')} as most`;
  // Below the last positive row of a step thresholds only grow worse: how many negative rows they may find and still tie.
  const { falsePositive, falseNegative } = given.costs;
  const mostFound = sql`greatest(whole.negatives * (most / nullif(whole.positives, 0) - seen_closer.youden + ${slack('seen_closer.youden')}),
               case when seen_closer.f1 > ${slack('seen_closer.f1')}
                    then 2 * most / (seen_closer.f1 - ${slack('seen_closer.f1')}) - most - whole.positives else whole.negatives end,
               ${
                 falsePositive < 1e-100
                   ? sql`whole.negatives`
                   : sql`(seen_closer.cost + ${slack('seen_closer.cost')} - (whole.positives - most) * ${falseNegative}::float8) / ${falsePositive}::float8`
               })`;
  const held = sql`least(${mostFound}, whole.negatives)`;
  const withinReach = isWeighted ? sql`width_bucket(${held}, whole.neg_c) + 1` : sql`ceil(${held})::int + 1`;
  return sql`, ranges as materialized (
               select a, z, first, ${atFirst} from found
               union all
               select 0, 0, whole.neg[1], 0, ${upTo('neg', 'whole.neg[1]')}, 0
                where coalesce(whole.neg[1] < whole.pos[1], cardinality(whole.neg) > 0)
             ), seen as materialized (
               ${bestSeen} from ranges
             ), steps as materialized (
               select *, ${atFirst}
                 from (select step as a, least(step + ${sql.raw(String(stepLength - 1))}, z) as z, case step when 0 then first else whole.pos[step] end as first
                         from ranges cross join seen cross join lateral generate_series(a, z, ${sql.raw(String(stepLength))}) as step
                        where ${mayHoldBest('seen')} offset 0) r offset 0
             ), seen_closer as materialized (
               ${bestSeen} from steps
             ), near as materialized (
               select *, ${f1(tp)} as f1, ${youden(tp)} as youden, ${cost(tp)} as cost
                 from (select u, ${upTo('pos', 'u')} as tp, ${upTo('neg', 'u')} as fp
                         from (select distinct u
                                 from steps cross join seen_closer cross join lateral (
                                      select unnest(whole.pos[a:z]) as u
                                      union all
                                      select unnest(whole.neg[width_bucket(first, whole.neg):least(width_bucket(coalesce(whole.pos[z + 1], 'infinity'), whole.neg), ${withinReach})])) r
                                where ${mayHoldBest('seen_closer')}) r offset 0) r offset 0
             ), best as materialized (
               select max(f1) as f1, max(youden) as youden, min(cost) as cost from near
             ), tied as materialized (
               select u, tp, fp, is_f1, is_youden, is_cost, ${ties('f1')}, ${ties('youden')}, ${ties('cost')},
                      ${place('f1')}, ${place('youden')}, ${place('cost')}
                 from (select u, tp, fp, ${near(sql`near.f1`, 'best.f1')} as is_f1,
                              coalesce(${near(sql`near.youden`, 'best.youden')}, false) as is_youden,
                              ${near(sql`near.cost`, 'best.cost')} as is_cost
                         from near cross join best) r
                where is_f1 or is_youden or is_cost
             ), distinct_scores as materialized (
               select coalesce((select sum(distinct_scores) from found), 0) + coalesce((select sum(distinct_scores) from missed), 0)
                      - (select count(*) from mixed) as n
             ), quantiles as materialized (
               select target, coalesce(a - 1 + width_bucket(target, reached), cardinality(whole.pos)) as at
                 from (select target, width_bucket(target, array(select reached[cardinality(reached)] from found order by a)) + 1 as part
                         from (select k * ((whole.positives + whole.negatives) / ${limit}) as target
                                 from generate_series(1, ${limit}) as k) t
                        where (select n from distinct_scores) > ${limit} offset 0) t
                 left join (select row_number() over (order by a) as part, a, reached from found) f using (part)
             ), candidates as materialized (
               select u, ${upTo('pos', 'u')} as tp, ${upTo('neg', 'u')} as fp
                 from (select unnest(whole.pos[at:at + 1]) as u from quantiles
                       union
                       select ${nextNegatives}
                       union
                       select greatest(whole.pos[cardinality(whole.pos)], whole.neg[cardinality(whole.neg)])
                       union
                       select u from (select unnest(whole.pos) as u union all select unnest(whole.neg)) r
                        where (select n from distinct_scores) <= ${limit}) r
                where u is not null
             )`;
}
