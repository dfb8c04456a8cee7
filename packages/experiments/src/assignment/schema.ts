import { createdAtColumn, referenceColumn, tenantTable } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { boolean, integer, text } from 'drizzle-orm/pg-core';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { writtenByColumn } from '../written-by-column.ts';

/**
 * Which variant a unit has, for good. One row a unit and experiment, whatever its allocation becomes.
 *
 * No foreign key: its check of each row adds 40 to 80 % to a bulk insert of 100,000 (PostgreSQL 18). Who writes holds the
 * experiment's row FOR KEY SHARE instead, which costs a single row what the check would, and many rows nothing.
 */
export const abAssignments = tenantTable(
  'ab_assignments',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    /** Who or what is assigned: a user, a device, a flight. */
    unit: text('unit').notNull(),
    variantId: referenceColumn<'Variant'>('variant_id').notNull(),
    /** The allocation that held: ab_allocations.epoch. */
    epoch: integer('epoch').notNull(),
    /** Chosen by hand and not by the hash: stays out of analysis. */
    forced: boolean('forced').notNull().default(false),
    assignedAt: createdAtColumn('assigned_at'),
    writtenBy: writtenByColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.experimentId, t.unit),
    constraint.check('unit', sql`length(${t.unit}) between 1 and ${sql.raw(String(EXPERIMENT_LIMITS.unitLength))}`),
    // Refresh of the units of an analysis: what was assigned since the last one.
    constraint.index('written', [t.experimentId, t.writtenBy]),
  ],
);
