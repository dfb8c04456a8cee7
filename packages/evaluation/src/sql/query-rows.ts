import { DomainError } from '@mcp-hub/db-core';
import { Column, is, type SQL, type SQLWrapper, Subquery, sql } from 'drizzle-orm';
import { z } from 'zod';
import { featureName, openShare } from '../inputs.ts';

const isExpression = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'getSQL' in given && typeof given.getSQL === 'function';

/** A column of the subquery, such as `rows.score`, or an expression on its columns. */
export const expression = z.custom<SQLWrapper>(isExpression, 'must be a column of rows, or an expression on them');

/** A Drizzle subquery: `tx.select({ … }).from(…).as('rows')`. */
const subquery = z.custom<Subquery>((given) => is(given, Subquery), 'must be a subquery, as `.as(name)` gives it');

const sliceColumns = z.record(featureName, expression);

/** How rows that stay in the database are measured, and where they are; spread into the schema of an input. */
export const queryOptions = {
  /** A Drizzle subquery, read inside the tenant's transaction: `tx.select({ … }).from(…).where(…).as('rows')`. */
  rows: subquery,
  /** Rows that a slice needs. Default 30. */
  minSliceRows: z.int().min(1).optional(),
  /** Error rate of the intervals, whose level is 1 - alpha. Default 0.05. */
  alpha: openShare.optional(),
};

/** Columns that rows of any task may have. */
export const anyColumns = {
  weight: expression.optional(),
  /** By feature: each value with enough rows is a slice. NULL is the slice "". */
  slices: sliceColumns.optional(),
};

/** `1` and `0` for positive and negative rows and null for what is neither; numbers and booleans are known by their text. */
export function labelBit(label: SQLWrapper, positiveLabel: string | number | undefined): SQL {
  if (positiveLabel !== undefined) {
    return sql`case when ${label} is not null then (${label}::text = ${String(positiveLabel)})::int end`;
  }
  if (is(label, Column) && label.dataType === 'boolean') return sql`${label}::int`;
  if (is(label, Column) && label.dataType === 'number') {
    return sql`case ${label}::float8 when 1 then 1 when 0 then 0 end`;
  }
  return sql`case ${label}::text when 'true' then 1 when 'false' then 0 when '1' then 1 when '0' then 0 end`;
}

/** Text of a slice's value, as that of arrays: a missing one is empty. */
export function sliceText(value: SQLWrapper): SQL {
  return sql`coalesce(${value}::text, '')`;
}

/** Neither missing nor NaN nor infinite: NaN is above all numbers in PostgreSQL. */
export const isFinite = (value: SQL) => sql`(${value} > '-infinity' and ${value} < 'infinity')`;

const wanted = {
  label: 'must be 0 or 1, or name the positive one in positiveLabel',
  class: 'must not be missing',
  score: 'must be a finite number',
  weight: 'must be a finite number of at least 0',
  number: 'must be a finite number',
};

/** Refuses rows with values that cannot be judged, by their number. */
export function refuseRows(column: string, kind: keyof typeof wanted, count: number): void {
  if (count === 0) return;
  throw new DomainError(
    'invalid_input',
    `The column ${column} ${wanted[kind]}: ${count} of the rows are otherwise. Drop or mend them in the subquery.`,
    { details: { field: `columns.${column}`, count } },
  );
}
