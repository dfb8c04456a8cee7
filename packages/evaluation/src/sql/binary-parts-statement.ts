import { type SQL, sql } from 'drizzle-orm';
import type { BinaryStatement } from './binary-statement.ts';

// What the two sorted arrays of `whole` add up to, in parts. See binary-statement.ts.

/** As packages/stats: what a probability of 0 or 1 is taken for in logarithms. */
export const clip = Number.EPSILON;
/** Below it a probability is taken for 0 where it is squared or weighed: PostgreSQL refuses products that underflow. */
export const tiny = 1e-100;
/** From it on ln(1 - p) needs no correction for the rounding of 1 - p. */
export const plainLog = 2 ** -10;

/** Scores of a part, but where an edge ends it: of positive rows few, so that little is looked through for the best. */
const partLength = { pos: 512, neg: 2_048 };

const held = sql`least(1 - ${clip}::float8, greatest(${clip}::float8, -first))`;
const isPlain = sql`probable and last <= ${-tiny}::float8`;
const isInner = sql`probable and last <= ${-clip}::float8 and first > ${-(1 - clip)}::float8`;

/** How many rows, or how much weight, the first k elements of an array are. */
export const counted = (isWeighted: boolean, array: 'pos' | 'neg', count: string): string =>
  isWeighted ? `whole.${array}_c[${count} + 1]` : count;

/** Where the parts of an array begin and end: `a`, `z`, and the scores there. */
function bounds(array: 'pos' | 'neg'): SQL {
  const scores = sql.raw(`whole.${array}`);
  return sql`
                 select a, z, ${scores}[a] as first, ${scores}[z] as last
                   from (select a, lead(a, 1, cardinality(${scores}) + 1) over (order by a) - 1 as z
                           from (select generate_series(1, cardinality(${scores}), ${sql.raw(String(partLength[array]))}) as a
                                 union
                                 select width_bucket(-edge, ${scores}) + 1 from edges) starts
                          where a <= cardinality(${scores})) ends
                 offset 0`;
}

/**
 * The parts of the positive rows, with what the curve adds up to in them. `others` is the sum of the negative rows that score
 * at least as high as a row, less those `before` the part, `squares` that of the squares and `ranks` that of the products with
 * the row's place, exact up to 2^53 a part; `middles` twice the weighted sum. `ties` are the scores that negative rows have as well.
 */
export function foundParts({ weight, thresholds }: BinaryStatement): SQL {
  const isWeighted = weight !== undefined;
  const times = sql.raw(isWeighted ? 'w * ' : '');
  const tp = sql.raw(`${counted(isWeighted, 'pos', 'own')}::float8`);
  const fp = sql.raw(counted(isWeighted, 'neg', '(before + other)'));
  const found = isWeighted ? sql`(${tp} + ${fp})` : sql`(own + before + other)::float8`;
  const curve = isWeighted
    ? sql`0 as others, 0 as squares, 0 as ranks, sum(w * 2 * ${fp}) as middles`
    : sql`sum(other) as others, sum(other::float8 * other) as squares, sum(other::float8 * place) as ranks, 0 as middles`;
  return sql`
               select part.*, z - a + 1 as n, sums.*
                 from (select *, coalesce(width_bucket(whole.pos[a - 1], whole.neg), 0) as before,
                              width_bucket(last, whole.neg) as beyond, width_bucket(last, whole.pos) as last_own,
                              ${isPlain} as plain, ${isInner} as inside, -ln(${held}) as clipped
                         from (${bounds('pos')}) b offset 0) part
                cross join lateral (
                 select ${isWeighted ? sql`sum(w)` : sql`count(*)::float8`} as w, ${curve},
                        count(*) filter (where place = own) as distinct_scores, sum(${times} ${tp} / ${found}) as precision_sum,
                        sum(case when plain then ${times} -u else 0 end) as score_sum,
                        sum(${times} case when plain then (1 + u) * (1 + u) else 1 end) as brier_sum,
                        sum(${times} case when inside then -ln(-u) else clipped end) as log_sum,
                        array_agg(u) filter (where place = own and whole.neg[before + other] = u) as ties
                        ${thresholds === 0 ? sql`` : sql`, array_agg(${found}) as reached`}
                   from (select u, ${isWeighted ? sql`w,` : sql``} place, width_bucket(u, beside) as other,
                                case when u <> next then place when u = last then last_own
                                     else a - 1 + width_bucket(u, here) end as own
                           from (select unnest(here) as u, unnest(whole.pos[a + 1:z + 1]) as next,
                                        ${isWeighted ? sql`unnest(whole.pos_w[a:z]) as w,` : sql``}
                                        generate_series(a, z) as place, here, beside
                                   from (select whole.pos[a:z] as here, whole.neg[before + 1:beyond] as beside offset 0) s
                                 offset 0) r offset 0) r) sums`;
}

/** The parts of the negative rows. ln(1 - p) is corrected for the rounding of 1 - p (Kahan) where p is small. */
export function missedParts({ weight }: BinaryStatement): SQL {
  const isWeighted = weight !== undefined;
  const times = sql.raw(isWeighted ? 'w * ' : '');
  return sql`
               select part.*, z - a + 1 as n, sums.*
                 from (select *, ${isPlain} as plain, ${isInner} as inside, last <= ${-plainLog}::float8 as uncorrected,
                              -ln(1 - ${held}) * ${held} / (1 - (1 - ${held})) as clipped
                         from (${bounds('neg')}) b offset 0) part
                cross join lateral (
                 select ${isWeighted ? sql`sum(w)` : sql`count(*)::float8`} as w,
                        count(*) filter (where u is distinct from next) as distinct_scores,
                        sum(case when plain then ${times} -u else 0 end) as score_sum,
                        sum(case when plain then ${times} (u * u) else 0 end) as brier_sum,
                        sum(${times} case when not inside then clipped when uncorrected then -ln(1 + u)
                                          else ln(1 + u) * u / (1 - (1 + u)) end) as log_sum
                   from (select unnest(whole.neg[a:z]) as u, unnest(whole.neg[a + 1:z + 1]) as next
                                ${isWeighted ? sql`, unnest(whole.neg_w[a:z]) as w` : sql``} offset 0) r) sums`;
}

/** Rows of weight 0, which are in the counts of bins and of the confusion matrix. */
export function uncountedParts(y: 1 | 0): SQL {
  return sql`
                             select ${sql.raw(String(y))}, 0, count(*), 0, max(u), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
                               from unnest(${sql.raw(y === 1 ? 'whole.pos_0' : 'whole.neg_0')}) as r (u)
                              group by width_bucket(-u, array(select edge from edges order by edge))`;
}

/**
 * What counts differ by where rows of both classes have one score, of which the sums of the parts know nothing: by pairs, and
 * for the squares of the positive and of the negative rows' counts. The arrays are only turned round where there is such a score.
 */
export function tieSums({ weight }: BinaryStatement): SQL {
  const reversed = (array: 'pos' | 'neg') =>
    sql.raw(`array(select -whole.${array}[at] from generate_series(cardinality(whole.${array}), 1, -1) as at)`);
  const below = (array: 'pos' | 'neg') =>
    sql`${sql.raw(`cardinality(whole.${array})`)} - width_bucket(-u, ${reversed(array)})`;
  const ends = sql`
                       select width_bucket(u, whole.pos) as tp, ${below('pos')} as tp_above,
                              width_bucket(u, whole.neg) as fp, ${below('neg')} as fp_above
                         from mixed offset 0`;
  if (weight !== undefined) {
    const between = (array: 'pos' | 'neg', from: string, to: string) =>
      sql.raw(`(${counted(true, array, to)} - ${counted(true, array, from)})`);
    return sql`
                     select count(*) as scores, coalesce(sum(${between('pos', 'tp_above', 'tp')} * ${between('neg', 'fp_above', 'fp')}), 0)::text as pairs,
                            '0' as of_positives, '0' as of_negatives
                       from (${ends}) r`;
  }
  return sql`
                     select count(*) as scores, coalesce(sum(pairs), 0)::text as pairs,
                            coalesce(sum(pairs * (fp_above + 3::int8 * fp)), 0)::text as of_positives,
                            coalesce(sum(pairs * (3::int8 * tp_above + tp)), 0)::text as of_negatives
                       from (select *, (tp - tp_above)::numeric * (fp - fp_above) as pairs from (${ends}) r) r`;
}
