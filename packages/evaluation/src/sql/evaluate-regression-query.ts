import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import type { Outcome } from '@mcp-hub/stats';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { MetricRow, MetricValue } from '../evaluations/evaluation-parts.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from '../evaluations/store-evaluation.ts';
import { namesOneVersion, ONE_VERSION, openShare } from '../inputs.ts';
import { metricOf } from '../tasks/task.ts';
import { measureSlices } from './measure-slices.ts';
import { anyColumns, expression, isFinite, queryOptions, refuseRows } from './query-rows.ts';

export const EvaluateRegressionQueryInput = z
  .strictObject({
    ...evaluationFacts,
    ...queryOptions,
    columns: z.strictObject({ actual: expression, predicted: expression, ...anyColumns }),
    /** Where a quantile is predicted: its level, for the pinball loss. */
    quantile: openShare.optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateRegressionQueryInput = Readonly<z.input<typeof EvaluateRegressionQueryInput>>;

/** Sums over rows, of weights where rows have some. */
const Sums = z.object({
  slice: z.string(),
  slices: z.coerce.number(),
  n: z.coerce.number(),
  bad_actual: z.coerce.number(),
  bad_predicted: z.coerce.number(),
  bad_weight: z.coerce.number(),
  weight: z.number(),
  absolute: z.number(),
  square: z.number(),
  error: z.number(),
  pinball: z.number(),
  spread: z.number(),
});
type Sums = z.output<typeof Sums>;

/**
 * Evaluates predicted numbers that lie in the database and stores it: what evaluateRegression makes of the same rows, to
 * 1e-12 of the values' size, without loading them. One statement for all rows and one for each sliced feature, then two
 * round trips.
 *
 * Sums are taken in the order of the values, so that they are the same each time; the spread around the mean in a second
 * pass, so that an offset costs no digits. No intervals. Takes no lock on the rows.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for
 *   values that are missing or not finite, with their `count`; `conflict` where the idempotency key came with other rows or
 *   facts before.
 */
export async function evaluateRegressionQuery(
  tx: TenantTx,
  input: EvaluateRegressionQueryInput,
): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateRegressionQueryInput, input);
  const { alpha = 0.05, minSliceRows = 30, quantile } = given;
  const [sums = noSums] = (await sumsOf(tx, given)).summaries;
  refuseRows('actual', 'number', sums.bad_actual);
  refuseRows('predicted', 'number', sums.bad_predicted);
  refuseRows('weight', 'weight', sums.bad_weight);
  const metrics: MetricRow[] = [];
  const add = (of: Sums, sliceFeature: string) => {
    const { n, weight, slice: sliceValue } = of;
    for (const value of metricsOf(of, quantile)) metrics.push({ ...value, sliceFeature, sliceValue, n, weight });
  };
  add(sums, '');
  const { slices } = given.columns;
  const sliced = await measureSlices(
    { slices, minSliceRows },
    (slice, minRows) => sumsOf(tx, given, slice, minRows),
    add,
  );
  return await storeEvaluation(tx, given, {
    ...{ task: 'regression', n: sums.n, weight: sums.weight, confidence: 1 - alpha, metrics },
    parameters: { ...(quantile === undefined ? {} : { quantile }), ...sliced },
    ...{ cells: [], thresholds: [], bins: [] },
  });
}

function metricsOf(sums: Sums, quantile: number | undefined): readonly MetricValue[] {
  const mean = (sum: number): Outcome =>
    sums.weight === 0 ? { value: null, reason: 'There are no rows.' } : { value: sum / sums.weight, reason: null };
  const square = mean(sums.square);
  const unexplained = sums.square / sums.spread;
  return [
    metricOf('mae', mean(sums.absolute)),
    metricOf('rmse', square.value === null ? square : { value: Math.sqrt(square.value), reason: null }),
    metricOf('bias', mean(sums.error)),
    metricOf(
      'r2',
      square.value === null
        ? square
        : sums.spread === 0
          ? { value: null, reason: 'All values are equal.' }
          : { value: 1 - unexplained, reason: null },
    ),
    ...(quantile === undefined ? [] : [metricOf('pinball_loss', mean(sums.pinball))]),
  ];
}

async function sumsOf(
  tx: TenantTx,
  { rows, columns, quantile = 0.5 }: z.output<typeof EvaluateRegressionQueryInput>,
  slice: SQL = sql`''::text`,
  minRows = 0,
) {
  const { actual, predicted, weight } = columns;
  const sum = (term: SQL) => sql`coalesce(sum(w * ${term} order by y, p, w) filter (where usable), 0)`;
  // PostgreSQL refuses products that underflow.
  const squared = (term: SQL) => sql`(case when abs(${term}) < 1e-140 then 0 else (${term}) ^ 2 end)`;
  const found = await tx.execute(sql`
    with given as (
      select ${slice} as slice, ${actual}::float8 as y, ${predicted}::float8 as p,
             ${weight === undefined ? sql`1::float8` : sql`${weight}::float8`} as w
        from ${rows}
    ), checked as materialized (
      select *, (${isFinite(sql`y`)} and ${isFinite(sql`p`)} and w >= 0 and w < 'infinity') is true as usable
        from given
    ), sums as materialized (
      select slice, count(*) as n,
             count(*) filter (where ${isFinite(sql`y`)} is not true) as bad_actual,
             count(*) filter (where ${isFinite(sql`p`)} is not true) as bad_predicted,
             count(*) filter (where (w >= 0 and w < 'infinity') is not true) as bad_weight,
             ${sum(sql`1`)} as weight, ${sum(sql`abs(p - y)`)} as absolute, ${sum(squared(sql`p - y`))} as square,
             ${sum(sql`(p - y)`)} as error,
             ${sum(sql`greatest(-${quantile}::float8 * (p - y), (1 - ${quantile}::float8) * (p - y))`)} as pinball,
             -- Of a row that counts: beside one of no weight equal values would differ by what rounding leaves of their distance.
             min(y) filter (where usable and w > 0) as first
        from checked
       group by slice
    ), centred as materialized (
      select checked.slice, first,
             coalesce(sum(w * (y - first) order by y, p, w) / nullif(sums.weight, 0), 0) as shift
        from checked join sums using (slice)
       where usable and sums.n >= ${minRows}::int
       group by checked.slice, first, sums.weight
    ), spreads as (
      select checked.slice, sum(w * ${squared(sql`y - first - shift`)} order by y, p, w) as spread
        from checked join centred using (slice)
       where usable
       group by checked.slice
    )
    select sums.*, coalesce(spread, 0) as spread, (select count(*) from sums) as slices
      from sums left join spreads using (slice)
     where sums.n >= ${minRows}::int
     order by slice`);
  const summaries = found.map((row) => Sums.parse(row));
  return { slices: summaries[0]?.slices ?? 0, summaries };
}

const noSums: Sums = {
  ...{ slice: '', slices: 0, n: 0, bad_actual: 0, bad_predicted: 0, bad_weight: 0 },
  ...{ weight: 0, absolute: 0, square: 0, error: 0, pinball: 0, spread: 0 },
};
