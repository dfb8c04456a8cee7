import { createHash } from 'node:crypto';
import { DomainError } from '@mcp-hub/db-core';
import { is, type SQL, type SQLWrapper, Subquery, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { z } from 'zod';

/** Rows that stand in the database: a subquery of Drizzle's, `tx.select({ … }).from(…).as('rows')`. */
export const queryInput = z.custom<Subquery>(
  (given) => is(given, Subquery),
  "must be a subquery, such as tx.select({ … }).from(…).as('rows')",
);

const isSql = (found: unknown): found is SQLWrapper =>
  typeof found === 'object' && found !== null && 'getSQL' in found && typeof found.getSQL === 'function';

/** One of their columns, or what is made of them. */
export const expressionInput = z.custom<SQLWrapper>(isSql, 'must be a column of rows, or an expression on them');

/**
 * A field of a query by its name.
 *
 * @throws DomainError `invalid_input` where the query does not select it.
 */
export function queryField(query: Subquery, name: string): SQL {
  const found = optionalField(query, name);
  if (found !== undefined) return found;
  throw new DomainError('invalid_input', `rows must select a column, or an expression with a name, as ${name}.`, {
    details: { field: `rows.${name}` },
  });
}

export function optionalField(query: Subquery, name: string): SQL | undefined {
  if (!Object.keys(query._.selectedFields).includes(name)) return undefined;
  const found: unknown = Reflect.get(query, name);
  return isSql(found) ? sql`${found}` : undefined;
}

/** What tells two queries apart, their parameters included. */
export function queryDigest(query: Subquery): string {
  const { sql: text, params } = new PgDialect().sqlToQuery(sql`${query}`);
  const exact = (_: string, value: unknown) =>
    typeof value === 'bigint' || typeof value === 'number' ? `${typeof value} ${value}` : value;
  return createHash('sha256')
    .update(JSON.stringify([text, params], exact))
    .digest('hex');
}
