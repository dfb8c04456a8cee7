import { DomainError, float8Array, type TenantTx, textArray } from '@mcp-hub/db-core';
import { binCount, type Grid, MOMENTS_UP_TO, type Profile } from '@mcp-hub/stats';
import { type SQL, sql } from 'drizzle-orm';

/** What is profiled of rows: a grid and the value of a row, float8 or text. */
export interface ProfiledColumn {
  readonly grid: Grid;
  readonly value: SQL;
}

export interface ProfiledRows {
  readonly rowCount: number;
  /** In the order of the columns. */
  readonly profiles: readonly Profile[];
}

/**
 * The profiles of columns of rows, all of them in one pass over these. `from` is what stands behind FROM, rows in the order in
 * which they are to be summed.
 *
 * The bins of a column are counted by one sum: a value in bin b adds 10^(12 b), and the sum has a count in each twelve of
 * its digits. With a count for each bin beside it, a pass over 20 columns of 12 bins took half as long again.
 *
 * Values without bounds are rare, and asking each costs: only where the moments show or refuse one are these columns read
 * once more, with NaN counted apart and moments of what is at most 1e140 in size.
 */
export async function profileRows(tx: TenantTx, from: SQL, columns: readonly ProfiledColumn[]): Promise<ProfiledRows> {
  const first = await tx
    .transaction((inner) => readColumns(inner, from, columns, false))
    .catch((error: unknown) => {
      if (isOverflow(error)) return undefined;
      throw error;
    });
  if (first === undefined) return await readColumns(tx, from, columns, true);
  const again = columns.flatMap((_, i) => (isBounded(first.profiles[i]) ? [] : [i]));
  if (again.length === 0) return first;
  const careful = await readColumns(
    tx,
    from,
    columns.filter((_, i) => again.includes(i)),
    true,
  );
  const profiles = first.profiles.map((profile, i) => careful.profiles[again.indexOf(i)] ?? profile);
  return { rowCount: first.rowCount, profiles };
}

const isBounded = (profile: Profile | undefined) =>
  profile?.kind !== 'number' ||
  (Number.isFinite(profile.moments.mean + profile.moments.m2) &&
    Math.max(Math.abs(profile.min ?? 0), Math.abs(profile.max ?? 0)) <= MOMENTS_UP_TO);

const isOverflow = (error: unknown): boolean => error instanceof DomainError && error.code === 'invalid_input';

interface PassRow extends Record<string, unknown> {
  readonly row_count: number;
  readonly packed: readonly (string | null)[];
  readonly nans: readonly number[];
  readonly finite: readonly number[];
  readonly means: readonly (number | null)[];
  readonly variances: readonly (number | null)[];
  readonly mins: readonly (number | null)[];
  readonly maxs: readonly (number | null)[];
}

async function readColumns(
  tx: TenantTx,
  from: SQL,
  columns: readonly ProfiledColumn[],
  isCareful: boolean,
): Promise<ProfiledRows> {
  const list = (of: (column: ProfiledColumn, n: number) => SQL, type: string) =>
    sql`array[${sql.join(columns.map(of), sql`, `)}]::${sql.raw(type)}[]`;
  const value = (n: number) => sql.raw(`value_${n}`);
  const bin = (n: number) => sql.raw(`bin_${n}`);
  const ofNumbers = (of: (n: number) => SQL) => (column: ProfiledColumn, n: number) =>
    column.grid.kind === 'number' ? of(n) : sql`null`;
  const finite = (n: number) =>
    isCareful ? sql` filter (where ${value(n)} between ${sql.raw(`-${MOMENTS_UP_TO} and ${MOMENTS_UP_TO}`)})` : sql``;
  const [row] = await tx.execute<PassRow>(sql`
    select count(*)::float8 as row_count,
           ${list((column, n) => sql`sum(${weights(column.grid)}[${bin(n)} + 1])::text`, 'text')} as packed,
           ${list(
             ofNumbers((n) => (isCareful ? sql`count(*) filter (where ${value(n)} = 'NaN')` : sql`0`)),
             'float8',
           )} as nans,
           ${list(
             ofNumbers((n) => (isCareful ? sql`count(*)${finite(n)}` : sql`0`)),
             'float8',
           )} as finite,
           ${list(
             ofNumbers((n) => sql`avg(${value(n)})${finite(n)}`),
             'float8',
           )} as means,
           ${list(
             ofNumbers((n) => sql`var_pop(${value(n)})${finite(n)}`),
             'float8',
           )} as variances,
           -- Without the sign of a zero, which would depend on the order.
           ${list(
             ofNumbers((n) => sql`min(${value(n)})${finite(n)} + 0`),
             'float8',
           )} as mins,
           ${list(
             ofNumbers((n) => sql`max(${value(n)})${finite(n)} + 0`),
             'float8',
           )} as maxs
      from (select ${sql.join(
        columns.map(({ grid }, n) => sql`${value(n)}, ${binOf(grid, value(n), isCareful)} as ${bin(n)}`),
        sql`, `,
      )}
              from (select ${sql.join(
                columns.map((column, n) => sql`${column.value} as ${value(n)}`),
                sql`, `,
              )}
                      from ${from}
                    -- Or each value would be taken out of its array, and each bin looked for, wherever it is used.
                    offset 0) v
            offset 0) b`);
  if (row === undefined) throw new TypeError('An aggregate without groups gives one row');
  return {
    rowCount: row.row_count,
    profiles: columns.map(({ grid }, n) => profileOf(grid, row, n, isCareful)),
  };
}

const DIGITS = 12;

/** 1 for the first bin of a grid, and 10^12 times as much for each next one. Subselects are computed once, not for each row. */
const weights = (grid: Grid): SQL => sql`(
  select array_agg(('1' || repeat('0', ${DIGITS} * (bin - 1)))::numeric order by bin)
    from generate_series(1, ${sql.raw(String(binCount(grid)))}) bin)`;

function binOf(grid: Grid, value: SQL, isCareful: boolean): SQL {
  if (grid.kind === 'number') {
    // NaN would be in the last one.
    const bounded = isCareful ? sql`nullif(${value}, 'NaN')` : value;
    return sql`width_bucket(${bounded}, (select ${float8Array(grid.edges)}))`;
  }
  // Known categories in the order of their bytes, with the bin of each: found by halving, as numbers are.
  const other = grid.categories.length;
  const known = [
    ...grid.categories.map((name, bin) => ({ name, bin })),
    ...grid.others.map((name) => ({ name, bin: other })),
  ].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const names = sql`(select ${textArray(known.map(({ name }) => name))})`;
  const bins = sql`(select ${textArray(known.map(({ bin }) => String(bin)))}::int[])`;
  const place = sql`width_bucket(${value} collate "C", ${names} collate "C")`;
  const unknown = sql.raw(String(grid.isComplete ? other + 1 : other));
  return sql`case when ${value} is null then null
                  when ${names}[${place}] = ${value} then ${bins}[${place}]
                  else ${unknown} end`;
}

function profileOf(grid: Grid, row: PassRow, n: number, isCareful: boolean): Profile {
  const counts = unpacked(row.packed[n] ?? null, binCount(grid));
  const present = counts.reduce((sum, count) => sum + count, 0);
  if (grid.kind === 'category') {
    return { kind: 'category', counts, nulls: row.row_count - present, singletons: null };
  }
  const nans = isCareful ? (row.nans[n] ?? 0) : 0;
  const finite = isCareful ? (row.finite[n] ?? 0) : present;
  const moments = { n: finite, mean: row.means[n] ?? 0, m2: (row.variances[n] ?? 0) * finite };
  const nulls = row.row_count - present - nans;
  return { kind: 'number', counts, nulls, nans, moments, min: row.mins[n] ?? null, max: row.maxs[n] ?? null };
}

function unpacked(sum: string | null, bins: number): readonly number[] {
  const digits = (sum ?? '').padStart(DIGITS * bins, '0');
  return Array.from({ length: bins }, (_, bin) => {
    const end = digits.length - DIGITS * bin;
    return Number(digits.slice(Math.max(0, end - DIGITS), end));
  });
}
