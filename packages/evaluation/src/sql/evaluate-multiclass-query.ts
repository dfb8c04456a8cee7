import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { CellRow, MetricRow } from '../evaluations/evaluation-parts.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from '../evaluations/store-evaluation.ts';
import { namesOneVersion, ONE_VERSION } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { labelMetrics } from '../tasks/multiclass-task.ts';
import { checkedLabel } from '../tasks/split-rows.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import { measureSlices } from './measure-slices.ts';
import { anyColumns, expression, queryOptions, refuseRows } from './query-rows.ts';
import { totalOf } from './total-of.ts';

export const EvaluateMulticlassQueryInput = z
  .strictObject({
    ...evaluationFacts,
    ...queryOptions,
    columns: z.strictObject({
      /** The true class; classes are known by their text. */
      label: expression,
      predicted: expression,
      ...anyColumns,
    }),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateMulticlassQueryInput = Readonly<z.input<typeof EvaluateMulticlassQueryInput>>;

/** A cell, with the rows of its slice. Counts come as text. */
const Cell = z.object({
  slice: z.string(),
  slices: z.coerce.number(),
  truth: z.string().nullable(),
  predicted: z.string().nullable(),
  n: z.coerce.number(),
  weight: z.number(),
  bad_weights: z.coerce.number(),
});
type Cell = z.output<typeof Cell>;

interface Summary {
  readonly slice: string;
  readonly cells: readonly Cell[];
}

/**
 * Evaluates predicted classes that lie in the database and stores it: what evaluateMulticlass makes of the same labels and
 * predictions, to 1e-12, without loading them. Counts the pairs of classes: one statement for all rows and one for each
 * sliced feature, then two round trips. Takes no lock on the rows.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for more
 *   than 1,000 classes and for missing classes and weights that are not finite, with their `count`; `conflict` where the
 *   idempotency key came with other rows or facts before.
 */
export async function evaluateMulticlassQuery(
  tx: TenantTx,
  input: EvaluateMulticlassQueryInput,
): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateMulticlassQueryInput, input);
  const { alpha = 0.05, minSliceRows = 30 } = given;
  const { weight, slices } = given.columns;
  const [whole] = (await cellsOf(tx, given)).summaries;
  const all = whole?.cells ?? [];
  refuseRows(
    'label',
    'class',
    countOf(all, ({ truth }) => truth === null),
  );
  refuseRows(
    'predicted',
    'class',
    countOf(all, ({ predicted }) => predicted === null),
  );
  refuseRows(
    'weight',
    'weight',
    totalOf(all, ({ bad_weights }) => bad_weights),
  );
  const classes = classesOf(all);
  const index = new Map(classes.map((label, at) => [label, at]));
  const metrics: MetricRow[] = [];
  const cells: CellRow[] = [];
  const add = (summary: Summary, sliceFeature: string) => {
    const of = { sliceFeature, sliceValue: summary.slice };
    const matrix = classes.map(() => classes.map(() => 0));
    for (const { truth, predicted, n, weight: cellWeight } of summary.cells) {
      const row = matrix[index.get(truth ?? '') ?? -1];
      if (row !== undefined) row[index.get(predicted ?? '') ?? -1] = cellWeight;
      cells.push({ ...of, trueLabel: truth ?? '', predictedLabel: predicted ?? '', n, weight: cellWeight });
    }
    const n = totalOf(summary.cells, (cell) => cell.n);
    const total = totalOf(summary.cells, (cell) => cell.weight);
    const labels = classes.map((_, at) => at);
    const measured = withStatsErrors(() =>
      labelMetrics({ labels, cells: matrix }, classes, { n, alpha: weight === undefined ? alpha : undefined }),
    );
    for (const value of measured) metrics.push({ ...value, ...of, n, weight: total });
  };
  add({ slice: '', cells: all }, '');
  const sliced = await measureSlices(
    { slices, minSliceRows },
    (slice, minRows) => cellsOf(tx, given, slice, minRows),
    add,
  );
  return await storeEvaluation(tx, given, {
    ...{ task: 'multiclass', confidence: 1 - alpha, parameters: { classes, ...sliced }, metrics, cells },
    ...{ n: totalOf(all, ({ n }) => n), weight: totalOf(all, (cell) => cell.weight), thresholds: [], bins: [] },
  });
}

async function cellsOf(
  tx: TenantTx,
  { rows, columns }: z.output<typeof EvaluateMulticlassQueryInput>,
  slice: SQL = sql`''::text`,
  minRows = 0,
) {
  const { label, predicted, weight } = columns;
  const found = await tx.execute(sql`
    with given as (
      select ${slice} as slice, ${label}::text as truth, ${predicted}::text as predicted,
             ${weight === undefined ? sql`1::float8` : sql`${weight}::float8`} as w
        from ${rows}
    ), cells as materialized (
      select slice, truth, predicted, count(*) as n,
             ${
               weight === undefined
                 ? sql`count(*)::float8 as weight, 0 as bad_weights`
                 : sql`coalesce(sum(w order by w) filter (where w >= 0 and w < 'infinity'), 0) as weight,
             count(*) filter (where (w >= 0 and w < 'infinity') is not true) as bad_weights`
             }
        from given
       group by slice, truth, predicted
    ), sizes as materialized (
      select slice, sum(n) as n from cells group by slice
    )
    select cells.*, (select count(*) from sizes) as slices
      from cells join sizes using (slice)
     where sizes.n >= ${minRows}::int
     order by slice, truth collate "C", predicted collate "C"`);
  const all = found.map((row) => Cell.parse(row));
  const bySlice = new Map<string, Cell[]>();
  for (const cell of all) {
    const cells = bySlice.get(cell.slice);
    if (cells === undefined) bySlice.set(cell.slice, [cell]);
    else cells.push(cell);
  }
  return {
    slices: all[0]?.slices ?? 0,
    summaries: [...bySlice].map(([value, cells]): Summary => ({ slice: value, cells })),
  };
}

/** Numbers ascending where all are, else by code unit. */
function classesOf(cells: readonly Cell[]): readonly string[] {
  const found = [...new Set(cells.flatMap(({ truth, predicted }) => [truth ?? '', predicted ?? '']))];
  if (found.length > EVALUATION_LIMITS.classes) {
    throw new DomainError('invalid_input', `There must be at most ${EVALUATION_LIMITS.classes} classes.`, {
      details: { field: 'columns.label', limit: EVALUATION_LIMITS.classes },
    });
  }
  for (const label of found) checkedLabel(label, 'classes');
  const areNumbers = found.every((label) => label !== '' && Number.isFinite(Number(label)));
  return found.sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
}

const countOf = (cells: readonly Cell[], is: (cell: Cell) => boolean) =>
  totalOf(cells, (cell) => (is(cell) ? cell.n : 0));
