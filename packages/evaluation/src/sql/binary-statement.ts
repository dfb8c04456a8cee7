import { float8Array } from '@mcp-hub/db-core';
import { type SQL, type SQLWrapper, type Subquery, sql } from 'drizzle-orm';
import { clip, foundParts, missedParts, plainLog, tieSums, tiny, uncountedParts } from './binary-parts-statement.ts';
import { thresholdTables } from './threshold-statement.ts';

export interface BinaryStatement {
  readonly rows: Subquery;
  /** 1, 0 or null. */
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

/**
 * One statement for all that a binary evaluation says, one row a slice.
 *
 * The rows are sorted once, into an array of scores a class (8 bytes a row, in the server), negated, so that the count of
 * elements up to a value is that of scores at least as high. All else reads these arrays, in parts of some hundred scores
 * that no edge of a bin and no threshold divides. The curve comes from the positive rows alone, each looked up among the
 * negative ones beside its part, and what is best only from the parts whose ends say that it may be there. Counts are exact,
 * sums are of one part in the order of the scores, so that they are the same each time. What each step costs:
 * docs/adr/0015-evaluation-from-two-sorted-arrays.md.
 *
 * `offset 0` keeps the planner from computing a thing once for each of its uses. The columns of `whole` are read inside
 * `lateral` alone, where they are pointers: a join might read the arrays anew for each row.
 */
export function binaryStatement(given: BinaryStatement): SQL {
  const isWeighted = given.weight !== undefined;
  const isSliced = given.slice !== undefined;
  const hasThresholds = given.thresholds > 0;
  const binEdges = Array.from({ length: given.bins }, (_, bin) => bin / given.bins);
  const edges = [...new Set([...binEdges, given.threshold, tiny, clip, plainLog, 1 - clip])].sort((a, b) => a - b);
  const scores = isWeighted ? ['pos', 'neg', 'pos_0', 'neg_0'] : ['pos', 'neg'];
  const arrays = isWeighted ? [...scores, 'pos_w', 'neg_w'] : scores;
  const eachOf = (names: readonly string[], by: string, term: (name: string) => string) =>
    sql.raw(names.map(term).join(by));
  const total = (weights: string) => sql.raw(`${weights}[cardinality(${weights})]`);
  return sql`
    with sorted as (
      ${sortedRows(given)}
    ), checked as (
      select *, ${isWeighted ? sql`n - labelled` : sql`n - cardinality(pos) - cardinality(neg)`} as bad_labels,
             ${eachOf(scores, ' + ', notFinite)} as bad_scores
        from sorted
       where n >= ${given.minRows}::int
      offset 0
    ), usable as (
      select slice, n, bad_labels, bad_scores, bad_weights,
             ${eachOf(arrays, ', ', (array) => `case when bad_labels + bad_scores + bad_weights = 0 then ${array} else '{}' end as ${array}`)}
        from checked
      offset 0
    ), summed as (
      select *, ${eachOf(scores, ' and ', (array) => `coalesce(${array}[1] >= -1 and ${array}[cardinality(${array})] <= 0, true)`)} as probable
             ${isWeighted ? sql`, ${cumulated('pos_w')} as pos_c, ${cumulated('neg_w')} as neg_c` : sql``}
        from usable
      offset 0
    ), whole as (
      select *, ${
        isWeighted
          ? sql`${total('pos_c')} as positives, ${total('neg_c')} as negatives`
          : sql`cardinality(pos)::float8 as positives, cardinality(neg)::float8 as negatives`
      }
        from summed
      offset 0
    )
    select ${isSliced ? sql`total.slices` : sql`1 as slices`}, whole.slice, n, bad_labels, bad_scores, bad_weights, probable,
           positives, negatives, x.*
      from ${isSliced ? sql`(select count(*) as slices from sorted) total left join whole on true` : sql`whole`}
           cross join lateral (
             with edges as materialized (
               select unnest(${float8Array(edges)}) as edge
             ), found as materialized (
               ${foundParts(given)}
             ), missed as materialized (
               ${missedParts(given)}
             ), mixed as materialized (
               select unnest(ties) as u from found
             )${hasThresholds ? thresholdTables(given) : sql``}
             select (select json_agg(p)
                       from (select 1 as y, a, n, w, last, before, others, squares, ranks, middles, distinct_scores, precision_sum,
                                    score_sum, brier_sum, log_sum
                               from found
                             union all
                             select 0, a, n, w, last, 0, 0, 0, 0, 0, distinct_scores, 0, score_sum, brier_sum, log_sum from missed
                             ${isWeighted ? sql`union all ${uncountedParts(1)} union all ${uncountedParts(0)}` : sql``}
                              order by y, a, last) p) as parts,
                    (select row_to_json(t) from (${tieSums(given)}) t) as ties
                    ${
                      hasThresholds
                        ? sql`, (select json_agg(c order by u) from candidates c) as candidates,
                    (select json_agg(t order by u) from tied t
                      where f1_at <= ${given.tiedThresholds}::int or youden_at <= ${given.tiedThresholds}::int
                         or cost_at <= ${given.tiedThresholds}::int) as tied`
                        : sql``
                    }
           ) x`;
}

/** The rows of each slice in arrays; rows of weight 0 by themselves: they are counted and nothing else. */
function sortedRows({ rows, label, score, weight, slice }: BinaryStatement): SQL {
  const order = sql.raw(weight === undefined ? 'u' : 'u, w');
  // Two arrays sort their numbers by themselves, which costs less than one sort of rows; more do not.
  const isPlain = weight === undefined && slice === undefined;
  const array = (bit: 1 | 0, what: string, of = '') =>
    sql`coalesce(array_agg(${sql.raw(what)} order by ${order}) filter (where y = ${sql.raw(`${bit}${of}`)}), '{}')`;
  const weighted = sql`, ${array(1, 'u', ' and w > 0')} as pos, ${array(0, 'u', ' and w > 0')} as neg,
             ${array(1, 'w', ' and w > 0')} as pos_w, ${array(0, 'w', ' and w > 0')} as neg_w,
             ${array(1, 'u', ' and w = 0')} as pos_0, ${array(0, 'u', ' and w = 0')} as neg_0, count(y) as labelled,
             count(*) filter (where (w >= 0 and w < 'infinity') is not true) as bad_weights`;
  return sql`
      select ${slice === undefined ? sql`''` : sql`slice`} as slice, count(*) as n
             ${weight === undefined ? sql`, ${array(1, 'u')} as pos, ${array(0, 'u')} as neg, 0 as bad_weights` : weighted}
        from (select ${label} as y, -(${score}::float8) as u ${weight === undefined ? sql`` : sql`, ${weight}::float8 as w`}
                     ${slice === undefined ? sql`` : sql`, (${slice}) collate "C" as slice`}
                from ${rows}
               ${isPlain ? sql`` : sql`order by ${slice === undefined ? sql`` : sql`slice,`} ${order} offset 0`}) given
       ${slice === undefined ? sql`` : sql`group by slice`}`;
}

/** Elements that are null, beyond the largest numbers, or NaN, which is above all; width_bucket takes no nulls. */
function notFinite(array: string): string {
  const present = `case when array_position(${array}, null) is null then ${array} else array_remove(${array}, null) end`;
  return `cardinality(${array}) - width_bucket(${Number.MAX_VALUE}, ${present}) + width_bucket('-infinity', ${present})`;
}

/**
 * The sums of the first elements of an array, from 0 on: that of the first k is at k + 1. Made by a subquery, flat: what
 * array_prepend returns would be flattened anew by each function that reads it.
 */
function cumulated(array: string): SQL {
  return sql.raw(
    `array(select sum(w) over (order by at rows unbounded preceding) from unnest(array_prepend(0::float8, ${array})) with ordinality as t (w, at) order by at)`,
  );
}
