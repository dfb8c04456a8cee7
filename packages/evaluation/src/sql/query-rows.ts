import { DomainError } from '@mcp-hub/db-core';
import { Column, is, type SQL, type SQLWrapper, Subquery, sql } from 'drizzle-orm';
import { z } from 'zod';
import { featureName } from '../inputs.ts';

const isExpression = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'getSQL' in given && typeof given.getSQL === 'function';

/** A column of the subquery, such as `rows.score`, or an expression on its columns. */
export const expression = z.custom<SQLWrapper>(isExpression, 'must be a column of rows, or an expression on them');

/** A Drizzle subquery: `tx.select({ … }).from(…).as('rows')`. */
export const subquery = z.custom<Subquery>(
  (given) => is(given, Subquery),
  'must be a subquery, as `.as(name)` gives it',
);

export const sliceColumns = z.record(featureName, expression);

/** `1` and `0` for positive and negative rows and null for what is neither; numbers and booleans are known by their text. */
export function labelBit(label: SQLWrapper, positiveLabel: string | number | undefined): SQL {
  if (positiveLabel !== undefined) {
    return sql`case when ${label} is not null then (${label}::text = ${String(positiveLabel)})::int end`;
  }
  if (is(label, Column) && label.dataType === 'boolean') return sql`${label}::int`;
  if (is(label, Column) && label.dataType === 'number') {
    return sql`case ${label}::float8 when 1 then 1 when 0 then 0 end`;
  }
  return sql`case when ${label}::text in ('1', 'true') then 1 when ${label}::text in ('0', 'false') then 0 end`;
}

/** Text of a slice's value, as that of arrays: a missing one is empty. */
export function sliceText(value: SQLWrapper): SQL {
  return sql`coalesce(${value}::text, '')`;
}

/** Neither missing nor NaN nor infinite: NaN is above all numbers in PostgreSQL. */
export const isFinite = (value: SQL) => sql`(${value} > '-infinity' and ${value} < 'infinity')`;

/** Refuses rows with values that cannot be judged, by their number. */
export function refuseRows(field: 'label' | 'score' | 'weight' | 'actual' | 'predicted', count: number): void {
  if (count === 0) return;
  const wanted = {
    label: 'must be 0 or 1, or name the positive one in positiveLabel',
    score: 'must be a finite number',
    weight: 'must be a finite number of at least 0',
    actual: 'must be there and finite',
    predicted: 'must be there and finite',
  }[field];
  throw new DomainError(
    'invalid_input',
    `The column ${field} ${wanted}: ${count} of the rows are otherwise. Drop or mend them in the subquery.`,
    { details: { field: `columns.${field}`, count } },
  );
}
