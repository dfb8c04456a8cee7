import {
  actorColumn,
  createdAtColumn,
  idColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { bigint, boolean, date, doublePrecision, integer, text } from 'drizzle-orm/pg-core';

/** What a baseline was made of: predictions of the past, rows of the caller's, or profiles that were made elsewhere. */
export const baselineSources = ['window', 'rows', 'query', 'given'] as const;
export type BaselineSource = (typeof baselineSources)[number];

/** What is profiled: a feature of the predictions, their score, the predicted class. */
export const profiledFields = ['feature', 'score', 'label'] as const;
export type ProfiledField = (typeof profiledFields)[number];

export const profiledKinds = ['number', 'category'] as const;
export type ProfiledKind = (typeof profiledKinds)[number];

/** What a model version's inputs and outputs looked like when all was well. Never changed; another is a new revision. */
export const monitoringBaselines = tenantTable(
  'monitoring_baselines',
  {
    id: idColumn<'Baseline'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** 1, and one more with each baseline of the version. The last one is that by which days are profiled. */
    revision: integer('revision').notNull(),
    source: stateColumn('source', baselineSources).notNull(),
    /** The window of predictions that it was made of. */
    windowFrom: timeColumn('window_from'),
    windowTo: timeColumn('window_to'),
    /** In which days begin and end. */
    timeZone: text('time_zone').notNull().default('UTC'),
    rowCount: bigint('row_count', { mode: 'number' }).notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    // The last revision of a version.
    constraint.unique('revision', t.modelVersionId, t.revision),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    constraint.oneOf('source', t.source, baselineSources),
    constraint.check('row_count', sql`${t.rowCount} >= 0`),
  ],
);

// What a profile consists of, in baselines and days alike.
const profileColumns = () => ({
  /** By the bins of the grid: under, between each two edges, over; or each category, other, new. */
  counts: bigint('counts', { mode: 'number' }).array().notNull(),
  nulls: bigint('nulls', { mode: 'number' }).notNull(),
  nans: bigint('nans', { mode: 'number' }).notNull(),
  /** Finite values of a number, their mean and the sum of squared differences from it, the least and the greatest. */
  finite: bigint('finite', { mode: 'number' }).notNull(),
  mean: doublePrecision('mean'),
  m2: doublePrecision('m2'),
  min: doublePrecision('min'),
  max: doublePrecision('max'),
});

/** What a baseline knows of each feature, the score and the label: its frozen grid, and how the values fell into it. */
export const monitoringBaselineFields = tenantTable(
  'monitoring_baseline_fields',
  {
    baselineId: referenceColumn<'Baseline'>('baseline_id').notNull(),
    /** From 1: what the profiles of days name it by. */
    number: integer('number').notNull(),
    field: stateColumn('field', profiledFields).notNull(),
    /** Of a feature; empty for score and label. */
    name: text('name').notNull().default(''),
    kind: stateColumn('kind', profiledKinds).notNull(),
    /** Of a number: where its bins begin. */
    edges: doublePrecision('edges').array().notNull().default(sql`'{}'`),
    /** Of a category: those with bins of their own, those that are known beside, and whether these are all. */
    categories: text('categories').array().notNull().default(sql`'{}'`),
    others: text('others').array().notNull().default(sql`'{}'`),
    isComplete: boolean('is_complete').notNull().default(true),
    ...profileColumns(),
    /** Categories that were seen once. */
    singletons: bigint('singletons', { mode: 'number' }),
  },
  (t, constraint) => [
    constraint.primaryKey(t.baselineId, t.number),
    constraint.unique('name', t.baselineId, t.field, t.name),
    constraint.foreignKey('baseline', [t.baselineId], [monitoringBaselines.id], { onDelete: 'cascade' }),
    constraint.oneOf('field', t.field, profiledFields),
    constraint.oneOf('kind', t.kind, profiledKinds),
    constraint.check('name', sql`(${t.field} = 'feature') = (${t.name} <> '')`),
    constraint.check(
      'counts',
      sql`cardinality(${t.counts}) = case ${t.kind} when 'number' then cardinality(${t.edges}) + 1
                                                    else cardinality(${t.categories}) + 2 end`,
    ),
  ],
);

/** How the predictions of one day fell into the grids of a baseline. Made anew from all of the day's, never added to. */
export const monitoringProfiles = tenantTable(
  'monitoring_profiles',
  {
    baselineId: referenceColumn<'Baseline'>('baseline_id').notNull(),
    /** In the baseline's time zone. */
    day: date('day', { mode: 'string' }).notNull(),
    fieldNumber: integer('field_number').notNull(),
    rowCount: bigint('row_count', { mode: 'number' }).notNull(),
    ...profileColumns(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    // A window of a baseline's days.
    constraint.primaryKey(t.baselineId, t.day, t.fieldNumber),
    constraint.foreignKey(
      'field',
      [t.baselineId, t.fieldNumber],
      [monitoringBaselineFields.baselineId, monitoringBaselineFields.number],
      { onDelete: 'cascade' },
    ),
    constraint.check('row_count', sql`${t.rowCount} >= 0`),
  ],
);
