import { carriesTime, idColumn, idTimeColumn, tenantTable } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { doublePrecision, type PgColumn, text } from 'drizzle-orm/pg-core';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { writtenByColumn } from '../written-by-column.ts';

const filled = (column: PgColumn, length: number): SQL =>
  sql`length(${column}) between 1 and ${sql.raw(String(length))}`;

/**
 * What units did, by the names that metrics read: one row an event, which serves all experiments of its unit. Partitioned
 * by the id, which carries the event's own time: the same id sent twice is one row.
 */
export const abOutcomes = tenantTable(
  'ab_outcomes',
  {
    id: idColumn<'Outcome'>(),
    outcome: text('outcome').notNull(),
    unit: text('unit').notNull(),
    /** 1 for what merely happened. */
    value: doublePrecision('value').notNull().default(1),
    /** The time that the id carries. */
    occurredAt: idTimeColumn('occurred_at'),
    writtenBy: writtenByColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.check('occurred_at', carriesTime(t.id, t.occurredAt)),
    constraint.check('outcome', filled(t.outcome, EXPERIMENT_LIMITS.outcomeLength)),
    constraint.check('unit', filled(t.unit, EXPERIMENT_LIMITS.unitLength)),
    // Their squares have to add up within a float8. NaN is greater than all numbers.
    constraint.check('value', sql`${t.value} between -1e140 and 1e140`),
    // Refresh: the outcomes of a unit within a window of time.
    constraint.index('unit', [t.unit, t.id]),
    // Refresh: what was written since the last one.
    constraint.index('written', [t.writtenBy]),
  ],
  { partitionBy: 'id' },
);
