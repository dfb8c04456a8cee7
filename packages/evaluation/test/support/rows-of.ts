import { float8Array, int8Array, type TenantTx, textArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';

/** Rows as a subquery with their columns, as one over a table would be; `actual` are numbers beside them. */
export function rowsOf(
  tx: TenantTx,
  rows: readonly {
    readonly label: number | null;
    readonly score: number | null;
    readonly weight: number | null;
    readonly feature: string | null;
  }[],
  actual: readonly number[] = [],
) {
  return tx
    .select({
      label: sql<number>`label`.as('label'),
      score: sql<number>`score`.as('score'),
      weight: sql<number>`weight`.as('weight'),
      feature: sql<string>`feature`.as('feature'),
      actual: sql<number>`actual`.as('actual'),
    })
    .from(
      sql`unnest(${int8Array(rows.map(({ label }) => label))}, ${float8Array(rows.map(({ score }) => score))},
                 ${float8Array(rows.map(({ weight }) => weight))}, ${textArray(rows.map(({ feature }) => feature))},
                 ${float8Array(actual)})
              as given (label, score, weight, feature, actual)`,
    )
    .as('rows');
}
