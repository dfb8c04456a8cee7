import { jsonColumn, referenceColumn, stateColumn, tenantTable, timeColumn } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { bigint, date, integer, numeric, smallint, text } from 'drizzle-orm/pg-core';
import type { ExposureSlices } from '../exposures/schema.ts';
import { xid8 } from '../written-by-column.ts';

/**
 * What a unit is to an analysis: counted, left out because it saw several variants or was forced into its own, or not
 * exposed before the time up to which is looked.
 */
export const unitStates = ['counted', 'several', 'forced', 'ahead'] as const;
export type UnitState = (typeof unitStates)[number];

/** A variant that a unit saw, the day of its first exposure to it, and the allocation. */
export type SeenVariant = readonly [variantId: string, day: string, epoch: number];

/** One row an experiment: up to where its units and sums are made. Its lock is what refreshes of the experiment wait for. */
export const abUnitRefreshes = tenantTable(
  'ab_unit_refreshes',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    /** Null is a refresh that has not been. Times from this one on were not looked at. */
    asOf: timeColumn('as_of'),
    /** The oldest transaction that was open then: what this one and later ones wrote is to be looked at again. */
    seenBefore: xid8('seen_before'),
    /** The cluster that numbered it. Restored into another, numbers begin anew. */
    cluster: text('cluster'),
    /** A digest of the metrics and allocations by which it was counted. */
    definition: text('definition'),
    /** Units that were exposed, and of them those that are left out. */
    units: bigint('units', { mode: 'number' }).notNull().default(0),
    several: bigint('several', { mode: 'number' }).notNull().default(0),
    forced: bigint('forced', { mode: 'number' }).notNull().default(0),
    /** Exposed before they were assigned. */
    early: bigint('early', { mode: 'number' }).notNull().default(0),
    outcomes: bigint('outcomes', { mode: 'number' }).notNull().default(0),
  },
  (t, constraint) => [constraint.primaryKey(t.experimentId)],
);

/** What is known of a unit, made anew from exposures and outcomes where one of them is new. */
export const abUnits = tenantTable(
  'ab_units',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    unit: text('unit').notNull(),
    state: stateColumn('state', unitStates).notNull(),
    /** The one that it saw, with its first exposure; null unless counted. */
    variantId: referenceColumn<'Variant'>('variant_id'),
    firstAt: timeColumn('first_at'),
    /** The allocation that gave it the variant. */
    epoch: integer('epoch'),
    slices: jsonColumn<ExposureSlices>('slices').notNull().default({}),
    /** Those of one that saw several. */
    seen: jsonColumn<readonly SeenVariant[]>('seen'),
    /** 1 where it was exposed before it was assigned. */
    early: smallint('early').notNull().default(0),
    /** How many of its outcomes count. */
    outcomes: integer('outcomes').notNull().default(0),
    /** Which metrics it has outcomes for, by their positions, and what these come to; null is none. */
    places: smallint('places').array().notNull().default(sql`'{}'`),
    y: numeric('y').array().notNull().default(sql`'{}'`),
    x: numeric('x').array().notNull().default(sql`'{}'`),
    /** The first time beyond that of the refresh at which something is known to have happened. */
    nextAt: timeColumn('next_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.experimentId, t.unit),
    constraint.oneOf('state', t.state, unitStates),
    // Refresh: units of which more is known than was looked at.
    constraint.index('next', [t.experimentId, t.nextAt], sql`${t.nextAt} is not null`),
  ],
);

/** Units by the day (UTC) of their first exposure, variant and allocation. */
export const abUnitDays = tenantTable(
  'ab_unit_days',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    epoch: integer('epoch').notNull(),
    variantId: referenceColumn<'Variant'>('variant_id').notNull(),
    units: bigint('units', { mode: 'number' }).notNull(),
    /** With those that saw several. */
    withSeveral: bigint('with_several', { mode: 'number' }).notNull(),
  },
  (t, constraint) => [constraint.primaryKey(t.experimentId, t.day, t.epoch, t.variantId)],
);

/**
 * What the counted units of a variant come to, in a slice (of dimension '' all) and a metric (-1 is the number of units).
 *
 * The sums are exact decimals: they come out the same in whatever order units are added, and what was added can be taken
 * away.
 */
export const abUnitSums = tenantTable(
  'ab_unit_sums',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    variantId: referenceColumn<'Variant'>('variant_id').notNull(),
    dimension: text('dimension').notNull(),
    value: text('value').notNull(),
    /** The metric's position. */
    place: smallint('place').notNull(),
    /** Units that have outcomes. */
    observed: bigint('observed', { mode: 'number' }).notNull(),
    nonZero: bigint('non_zero', { mode: 'number' }).notNull(),
    sumY: numeric('sum_y').notNull(),
    sumYY: numeric('sum_yy').notNull(),
    sumX: numeric('sum_x').notNull(),
    sumXX: numeric('sum_xx').notNull(),
    sumXY: numeric('sum_xy').notNull(),
  },
  (t, constraint) => [constraint.primaryKey(t.experimentId, t.variantId, t.dimension, t.value, t.place)],
);
