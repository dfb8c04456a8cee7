import { float8Array, type TenantTx } from '@mcp-hub/db-core';
import { type CategoryGrid, categoryGrid, type Grid, gridOfQuantiles } from '@mcp-hub/stats';
import { type SQL, sql } from 'drizzle-orm';
import type { ProfiledKind } from './schema.ts';

/** A column of rows that are to be profiled. */
export interface GivenColumn {
  readonly kind: ProfiledKind;
  readonly value: SQL;
  /** The grid, where it is given. */
  readonly grid?: Grid | undefined;
}

export interface FoundGrid {
  readonly grid: Grid;
  /** Categories that were seen once. */
  readonly singletons: number | null;
}

/** Rows that quantiles are taken of: a bin of a tenth has its share to some 0.002. */
const SAMPLE = 20_000;

/**
 * The grids of columns: of numbers by quantiles of up to 20,000 rows that are spread evenly over all, of categories by the
 * counts of all. Undefined for a number without a finite value. Three statements.
 */
export async function findGrids(
  tx: TenantTx,
  from: SQL,
  columns: readonly GivenColumn[],
  bins: { readonly numbers: number; readonly categories: number; readonly known: number },
): Promise<readonly (FoundGrid | undefined)[]> {
  const found = columns.map(({ grid }): FoundGrid | undefined =>
    grid === undefined || grid.kind === 'category' ? undefined : { grid, singletons: null },
  );
  const wanted = (kind: ProfiledKind) =>
    columns.flatMap((column, index) =>
      column.kind === kind && found[index] === undefined ? [{ ...column, index }] : [],
    );
  const numbers = wanted('number');
  if (numbers.length > 0) {
    const levels = Array.from({ length: bins.numbers - 1 }, (_, i) => (i + 1) / bins.numbers);
    const rows = await tx.execute<QuantileRow>(sql`
      select v.column_number, min(v.value) as min, max(v.value) as max,
             percentile_cont((select ${float8Array(levels)})) within group (order by v.value) as quantiles
        from (select ${valuesOf(numbers)}, row_number() over () - 1 as row_number, count(*) over () as row_count
                from ${from}) s
       cross join lateral (values ${pairsOf(numbers)}) v (column_number, value)
       where (s.row_count <= ${SAMPLE} or s.row_number % (s.row_count / ${SAMPLE} + 1) = 0)
         and v.value > '-Infinity' and v.value < 'Infinity'
       group by v.column_number`);
    for (const { column_number, min, max, quantiles } of rows) {
      found[column_number] = { grid: gridOfQuantiles(min, quantiles, max), singletons: null };
    }
  }
  const categories = wanted('category');
  if (categories.length > 0) await findCategories(tx, from, categories, bins, found);
  return found;
}

type Numbered = GivenColumn & { readonly index: number };

const valuesOf = (columns: readonly Numbered[]): SQL =>
  sql.join(
    columns.map(({ value, index }) => sql`${value} as ${sql.raw(`value_${index}`)}`),
    sql`, `,
  );

/** A row of its own for each value of a row. */
const pairsOf = (columns: readonly Numbered[]): SQL =>
  sql.raw(columns.map(({ index }) => `(${index}, s.value_${index})`).join(', '));

interface QuantileRow extends Record<string, unknown> {
  readonly column_number: number;
  readonly min: number;
  readonly max: number;
  readonly quantiles: readonly number[];
}

interface CategoryRow extends Record<string, unknown> {
  readonly column_number: number;
  readonly names: readonly string[];
  readonly counts: readonly number[];
  readonly distinct_count: number;
  readonly singletons: number;
}

async function findCategories(
  tx: TenantTx,
  from: SQL,
  columns: readonly Numbered[],
  bins: { readonly categories: number; readonly known: number },
  found: (FoundGrid | undefined)[],
): Promise<void> {
  const rows = await tx.execute<CategoryRow>(sql`
    select column_number, array_agg(value order by n desc, value collate "C") filter (where rank <= ${bins.known}) as names,
           array_agg(n order by n desc, value collate "C") filter (where rank <= ${bins.known}) as counts,
           count(*)::float8 as distinct_count, (count(*) filter (where n = 1))::float8 as singletons
      from (select column_number, value, n,
                   row_number() over (partition by column_number order by n desc, value collate "C") as rank
              from (select v.column_number, v.value, count(*)::float8 as n
                      from (select ${valuesOf(columns)} from ${from}) s
                     cross join lateral (values ${pairsOf(columns)}) v (column_number, value)
                     where v.value is not null
                     group by v.column_number, v.value) counted) ranked
     group by column_number`);
  for (const { index, grid } of columns) {
    const row = rows.find(({ column_number }) => column_number === index);
    const counts = new Map((row?.names ?? []).map((name, i) => [name, row?.counts[i] ?? 0]));
    const own: CategoryGrid = categoryGrid(counts, { bins: bins.categories, known: bins.known });
    const isComplete = (row?.distinct_count ?? 0) <= bins.known;
    found[index] = { grid: grid ?? { ...own, isComplete }, singletons: row?.singletons ?? 0 };
  }
}
