import { float8Array } from '@mcp-hub/db-core';
import { type SQL, type SQLWrapper, type Subquery, sql } from 'drizzle-orm';
import { isFinite } from './query-rows.ts';

export interface BinaryStatement {
  readonly rows: Subquery;
  readonly label: SQL;
  readonly score: SQLWrapper;
  readonly weight: SQLWrapper | undefined;
  /** Text of a slice's value. Default: all rows are one. */
  readonly slice: SQL | undefined;
  readonly minRows: number;
  readonly threshold: number;
  readonly costs: { readonly falsePositive: number; readonly falseNegative: number };
  readonly bins: number;
  /** 0: no thresholds. */
  readonly thresholds: number;
  readonly tiedThresholds: number;
}

/** As packages/stats: what a probability of 0 or 1 is taken for in logarithms. */
const clip = Number.EPSILON;

/**
 * One statement for all that a binary evaluation says, one row a slice.
 *
 * The scores of each class are sorted once, into an array each (8 bytes a row, in the server). What a threshold finds is
 * then a binary search in these arrays (width_bucket), which costs a third of what the same takes by window functions, and
 * knows ties by itself. Scores are negated, so that the count of elements up to a value is that of scores at least as high.
 * Sums are of some thousand parts, each in the order of the scores, so that they are the same each time; counts are exact.
 * `offset 0` keeps the planner from computing a search once for each of its uses.
 */
export function binaryStatement(given: BinaryStatement): SQL {
  const { weight, thresholds, bins } = given;
  // A column of its own: the cast of a text to an array is made for each row otherwise.
  const edges = float8Array(Array.from({ length: bins }, (_, bin) => bin / bins));
  const parts = thresholds === 0 ? 16 : thresholds;
  const one = sql`1`;
  const order = weight === undefined ? sql`-s` : sql`-s, w`;
  const isUsable = sql`${isFinite(sql`s`)}${weight === undefined ? sql`` : sql` and w >= 0 and w < 'infinity'`}`;
  const classOf = (bit: 1 | 0, what: SQL) =>
    sql`coalesce(array_agg(${what} order by ${order}) filter (where y = ${sql.raw(String(bit))} and ${isUsable}), '{}')`;
  const cumulated = (array: string) =>
    sql.raw(
      `array_prepend(0::float8, array(select sum(w) over (order by at rows unbounded preceding) from unnest(${array}) with ordinality as t (w, at) order by at))`,
    );
  const reversed = (array: string) =>
    sql.raw(`array(select -${array}[at] from generate_series(cardinality(${array}), 1, -1) as at)`);
  return sql`
    with given as (
      select ${given.label} as y, ${given.score}::float8 as s, ${weight === undefined ? one : sql`${weight}::float8`} as w,
             ${given.slice ?? sql`''`} as slice
        from ${given.rows}
    ), sorted as materialized (
      select slice, count(*) as n,
             count(*) filter (where y is null) as bad_labels,
             count(*) filter (where (${isFinite(sql`s`)}) is not true) as bad_scores,
             ${weight === undefined ? sql`0` : sql`count(*) filter (where (w >= 0 and w < 'infinity') is not true)`} as bad_weights,
             coalesce(bool_and(s between 0 and 1), true) as probable,
             ${classOf(1, sql`-s`)} as pos, ${classOf(0, sql`-s`)} as neg
             ${weight === undefined ? sql`` : sql`, ${classOf(1, sql`w`)} as pos_w, ${classOf(0, sql`w`)} as neg_w`}
        from given
       group by slice
    ), summed as materialized (
      select *, ${reversed('pos')} as pos_up, ${reversed('neg')} as neg_up
             ${weight === undefined ? sql`` : sql`, ${cumulated('pos_w')} as pos_c, ${cumulated('neg_w')} as neg_c`}
        from sorted
       where n >= ${given.minRows}::int
    ), whole as materialized (
      select *, ${edges} as edges, ${
        weight === undefined
          ? sql`cardinality(pos) as positives, cardinality(neg) as negatives`
          : sql`pos_c[cardinality(pos) + 1] as positives, neg_c[cardinality(neg) + 1] as negatives`
      }
        from summed
    ), parts as materialized (
      ${partsOf(1)}
      union all
      ${partsOf(0)}
    )${thresholds === 0 ? sql`` : thresholdTables()}
    select total.slices, whole.slice, whole.n, whole.bad_labels, whole.bad_scores, whole.bad_weights, whole.probable,
           whole.positives::float8 as positives, whole.negatives::float8 as negatives,
           (select json_agg(p) from (select * from parts where parts.slice = whole.slice order by y, chunk, bin) p) as parts
           ${
             thresholds === 0
               ? sql``
               : sql`, (select json_agg(c order by u) from candidates c) as candidates,
             (select json_agg(t order by u) from tied t where f1_at <= ${given.tiedThresholds}::int
                 or youden_at <= ${given.tiedThresholds}::int or cost_at <= ${given.tiedThresholds}::int) as tied`
           }
      from (select count(*) as slices from sorted) total left join whole on true`;

  /** What the rows of a class add, by parts of the curve and bins of the scores. */
  function partsOf(y: 1 | 0): SQL {
    const [own, other] = y === 1 ? ['pos', 'neg'] : ['neg', 'pos'];
    const name = sql.raw;
    const isWeighted = weight !== undefined;
    // Of the curve: rows that a threshold at this score finds, of this class, of the other, and of the other strictly above.
    const searched = sql`
      select u, w, at, probable, positives, negatives, slice, edges, own_at,
             ${isWeighted ? name(`${own}_c[own_at + 1]`) : name('own_at')} as own,
             ${isWeighted ? name(`${other}_c[other_at + 1]`) : name('other_at')} as other,
             ${isWeighted ? name(`${other}_c[above_at + 1]`) : name('above_at')} as above
        from (select u, w, at, whole.*, width_bucket(u, ${name(own)}) as own_at, width_bucket(u, ${name(other)}) as other_at,
                     cardinality(${name(other)}) - width_bucket(-u, ${name(`${other}_up`)}) as above_at
                from (select unnest(${name(own)}) as u, generate_subscripts(${name(own)}, 1) as at,
                             ${isWeighted ? name(`unnest(${own}_w)`) : one} as w offset 0) r offset 0) r`;
    const [tp, fp] = y === 1 ? [name('own'), name('other')] : [name('other'), name('own')];
    const real = (value: SQL) => sql`${value}::float8`;
    // PostgreSQL refuses products that underflow: below 1e-100 a probability is taken for 0 where it is squared or summed.
    const p = sql`case when probable and u < -1e-100 then -u else 0 end`;
    const held = sql`least(1 - ${clip}::float8, greatest(${clip}::float8, -u))`;
    // ln(1 - p) to the last digits (Kahan): 1 - p is rounded, and by the same amount below.
    const logLoss = y === 1 ? sql`-ln(${held})` : sql`-ln(1 - ${held}) * ${held} / (1 - (1 - ${held}))`;
    const gap = y === 1 ? sql`(1 - ${p})` : sql`(${p})`;
    const weighted = (term: SQL) => (isWeighted ? sql`w * ${term}` : term);
    const counts = isWeighted ? sql` filter (where w > 0)` : sql``;
    const f1 = sql`2 * ${real(tp)} / (${tp} + ${fp} + positives)`;
    const f1Safe = isWeighted ? sql`case when w > 0 then ${f1} end` : f1;
    const youden = sql`${real(tp)} / nullif(positives, 0) - ${real(fp)} / nullif(negatives, 0)`;
    const cost = costOf(tp, fp);
    const middle = isWeighted ? sql`(other + above)` : sql`(other + above)::int8`;
    const chunk = isWeighted
      ? sql`coalesce(floor((own + other) / nullif(positives + negatives, 0) * ${parts}::int)::int8, 0)`
      : sql`(own + other) * ${parts}::int8 / (positives + negatives)`;
    return sql`
      select x.*
        from whole cross join lateral (
          select slice, ${name(String(y))} as y, ${chunk} as chunk,
                 case when probable then least(width_bucket(-u, edges), ${bins}::int) - 1 else 0 end as bin,
                 count(*) as n, sum(w)::float8 as w, min(u)${counts} as first, max(u)${counts} as final, max(u) as last,
                 count(*) filter (where u <= ${-given.threshold}::float8) as predicted_n,
                 coalesce(sum(w) filter (where u <= ${-given.threshold}::float8), 0)::float8 as predicted_w,
                 coalesce(sum(w) filter (where u > ${-given.threshold}::float8), 0)::float8 as missed_w,
                 count(*) filter (where at = own_at${isWeighted ? sql` and w > 0` : sql``}${y === 1 ? sql`` : sql` and other = above`}) as distinct_scores,
                 sum(${weighted(middle)})::text as middles, ${isWeighted ? sql`'0'` : sql`sum(${middle} * ${middle})::text`} as squares,
                 ${y === 1 ? sql`sum(${weighted(sql`coalesce(${real(tp)} / nullif(${tp} + ${fp}, 0), 0)`)})` : sql`0`} as precision_sum,
                 sum(${weighted(p)}) as score_sum, sum(${weighted(sql`${gap} * ${gap}`)}) as brier_sum,
                 sum(case when probable then ${weighted(logLoss)} else 0 end) as log_sum,
                 max(${f1Safe}) as f1, max(${youden})${counts} as youden, min(${cost})${counts} as cost
            from (${searched} offset 0) r
           group by slice, 3, 4) x`;
  }

  function costOf(tp: SQL, fp: SQL): SQL {
    return sql`${fp} * ${given.costs.falsePositive}::float8 + (positives - ${tp}) * ${given.costs.falseNegative}::float8`;
  }

  /** The thresholds that may be kept: the first of each part with the next one, and all that tie for best. */
  function thresholdTables(): SQL {
    const isWeighted = weight !== undefined;
    const tp = isWeighted ? sql`pos_c[width_bucket(u, pos) + 1]` : sql`width_bucket(u, pos)`;
    const fp = isWeighted ? sql`neg_c[width_bucket(u, neg) + 1]` : sql`width_bucket(u, neg)`;
    const near = (value: SQL, best: SQL) => sql`abs(${value} - ${best}) <= 1e-12 * greatest(1, abs(${best}))`;
    const scores = isWeighted
      ? sql`(select * from unnest(pos, pos_w) union all select * from unnest(neg, neg_w)) as t (u, w)`
      : sql`(select unnest(pos) union all select unnest(neg)) as t (u)`;
    const [hits, alarms] = [sql`tp`, sql`fp`];
    return sql`
    , best as materialized (
      select max(f1) as f1, max(youden) as youden, min(cost) as cost, max(final) as final, sum(distinct_scores) as distinct_scores from parts
    ), firsts as (
      select distinct first as u from parts where first is not null
    ), candidates as materialized (
      select u, ${tp}::float8 as tp, ${fp}::float8 as fp
        from (select u from firsts
              union
              select final from best
              ${
                isWeighted
                  ? sql``
                  : sql`union
              select least(pos[width_bucket(u, pos) + 1], neg[width_bucket(u, neg) + 1])
                from firsts cross join whole`
              }
              union
              select t.u
                from whole cross join lateral ${scores}
               where (select distinct_scores from best) <= ${thresholds}::int${isWeighted ? sql` and t.w > 0` : sql``}) c
             cross join whole
       where u is not null
    ), near as materialized (
      select distinct u
        from (select parts.y, parts.n as size, case parts.y when 1 then width_bucket(parts.last, pos) else width_bucket(parts.last, neg) end as high
                from parts cross join whole cross join best
               where ${near(sql`parts.f1`, sql`best.f1`)} or ${near(sql`parts.youden`, sql`best.youden`)}
                  or ${near(sql`parts.cost`, sql`best.cost`)}) r
             cross join whole
             cross join lateral unnest(case y when 1 then pos[high - size + 1:high] else neg[high - size + 1:high] end
                                       ${
                                         isWeighted
                                           ? sql`, case y when 1 then pos_w[high - size + 1:high] else neg_w[high - size + 1:high] end`
                                           : sql``
                                       }) as t (u${isWeighted ? sql`, w) where w > 0` : sql`)`}
    ), tied as materialized (
      select u, tp, fp, is_f1, is_youden, is_cost,
             count(*) filter (where is_f1) over () as f1_ties, count(*) filter (where is_youden) over () as youden_ties,
             count(*) filter (where is_cost) over () as cost_ties,
             case when is_f1 then row_number() over (partition by is_f1 order by u) end as f1_at,
             case when is_youden then row_number() over (partition by is_youden order by u) end as youden_at,
             case when is_cost then row_number() over (partition by is_cost order by u) end as cost_at
        from (select u, tp, fp,
                     ${near(sql`2 * tp / (tp + fp + positives)`, sql`best.f1`)} as is_f1,
                     coalesce(${near(sql`(tp / nullif(positives, 0) - fp / nullif(negatives, 0))`, sql`best.youden`)}, false) as is_youden,
                     ${near(sql`(${costOf(hits, alarms)})`, sql`best.cost`)} as is_cost
                from (select u, positives, negatives, ${tp}::float8 as tp, ${fp}::float8 as fp
                        from near cross join whole offset 0) r cross join best) r
       where is_f1 or is_youden or is_cost
    )`;
  }
}
