import { jsonColumn, referenceColumn, tenantTable, timeColumn } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { integer, type PgColumn, text } from 'drizzle-orm/pg-core';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { writtenByColumn } from '../written-by-column.ts';

/** What was known of a unit at its first exposure, such as `{ country: 'de', platform: 'ios' }`. */
export type ExposureSlices = Readonly<Record<string, string>>;

// Also hold for rows inserted by hand. Characters, of which there are never more than UTF-16 code units.
const filled = (column: PgColumn, length: number): SQL =>
  sql`length(${column}) between 1 and ${sql.raw(String(length))}`;

/**
 * Who saw which variant: one row a unit and variant. The least time wins whatever the order of arrival.
 *
 * No foreign key leads to the variant, which would be checked row by row; recordExposures holds the experiment's row FOR
 * KEY SHARE instead, as the check would.
 */
export const abExposures = tenantTable(
  'ab_exposures',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    unit: text('unit').notNull(),
    variantId: referenceColumn<'Variant'>('variant_id').notNull(),
    firstAt: timeColumn('first_at').notNull(),
    lastAt: timeColumn('last_at').notNull(),
    count: integer('count').notNull().default(1),
    /** Those that came with the first exposure. */
    slices: jsonColumn<ExposureSlices>('slices').notNull().default({}),
    /** Of first_at and slices: an exposure that comes again changes neither. */
    writtenBy: writtenByColumn(),
  },
  (t, constraint) => [
    // The variants of a unit; the refresh of its row.
    constraint.primaryKey(t.experimentId, t.unit, t.variantId),
    constraint.check('unit', filled(t.unit, EXPERIMENT_LIMITS.unitLength)),
    constraint.check('count', sql`${t.count} > 0 and ${t.firstAt} <= ${t.lastAt}`),
    constraint.check('first_at', sql`${t.firstAt} >= '2000-01-01Z' and ${t.lastAt} < '2100-01-01Z'`),
    constraint.check('slices', sql`jsonb_typeof(${t.slices}) = 'object'`),
    // Refresh: what was written since the last one.
    constraint.index('written', [t.experimentId, t.writtenBy]),
  ],
);

/**
 * How units that saw several variants went between them: from when the second is seen, each exposure, and of what was
 * before that the first and last of each variant.
 */
export const abExposureTransitions = tenantTable(
  'ab_exposure_transitions',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    unit: text('unit').notNull(),
    at: timeColumn('at').notNull(),
    variantId: referenceColumn<'Variant'>('variant_id').notNull(),
  },
  (t, constraint) => [
    // The way of a unit, in the order of time.
    constraint.primaryKey(t.experimentId, t.unit, t.at, t.variantId),
  ],
);
