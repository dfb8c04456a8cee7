import { actorColumn, createdAtColumn, idColumn, referenceColumn, stateColumn, tenantTable } from '@mcp-hub/db-core';
import { driftTests, driftVerdicts } from '@mcp-hub/stats';
import { sql } from 'drizzle-orm';
import { bigint, date, doublePrecision, integer, text } from 'drizzle-orm/pg-core';
import { monitoringBaselines, profiledFields } from '../baselines/schema.ts';

/** One look at all fields of a version's window beside its baseline. */
export const monitoringDriftChecks = tenantTable(
  'monitoring_drift_checks',
  {
    id: idColumn<'DriftCheck'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    baselineId: referenceColumn<'Baseline'>('baseline_id').notNull(),
    baselineRevision: integer('baseline_revision').notNull(),
    /** The first and the last day, both included, in the baseline's time zone. */
    fromDay: date('from_day', { mode: 'string' }).notNull(),
    toDay: date('to_day', { mode: 'string' }).notNull(),
    /** By which p values, adjusted over all tests of the check, are judged. */
    alpha: doublePrecision('alpha').notNull(),
    /** Of the draws by which small samples are judged. */
    seed: integer('seed').notNull(),
    /** Predictions in the window. */
    rowCount: bigint('row_count', { mode: 'number' }).notNull(),
    testCount: integer('test_count').notNull(),
    driftCount: integer('drift_count').notNull(),
    /** How many checks a month name at least one field at the most, where nothing drifts; null where their number was not given. */
    falseChecksAMonth: doublePrecision('false_checks_a_month'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.foreignKey('baseline', [t.baselineId], [monitoringBaselines.id], { onDelete: 'cascade' }),
    // The last checks of a version.
    constraint.index('version', [t.modelVersionId, t.toDay, t.id]),
    // The cascade of a baseline.
    constraint.index('baseline', [t.baselineId]),
    constraint.check('days', sql`${t.fromDay} <= ${t.toDay}`),
  ],
);

/** What a check found of one field by one test. */
export const dataDrift = tenantTable(
  'data_drift',
  {
    id: idColumn<'DataDrift'>(),
    checkId: referenceColumn<'DriftCheck'>('check_id').notNull(),
    // As the check has them: alerts and charts read this table alone.
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    baselineRevision: integer('baseline_revision').notNull(),
    fromDay: date('from_day', { mode: 'string' }).notNull(),
    toDay: date('to_day', { mode: 'string' }).notNull(),
    field: stateColumn('field', profiledFields).notNull(),
    /** Of a feature; empty for score and label. */
    name: text('name').notNull().default(''),
    test: stateColumn('test', driftTests).notNull(),
    verdict: stateColumn('verdict', driftVerdicts).notNull(),
    /** Null where there is no result, and then a reason. */
    statistic: doublePrecision('statistic'),
    p: doublePrecision('p'),
    adjustedP: doublePrecision('adjusted_p'),
    distance: doublePrecision('distance'),
    /** What chance alone exceeds with probability alpha. */
    threshold: doublePrecision('threshold'),
    /** From which distance on it matters. */
    floor: doublePrecision('floor'),
    referenceCount: bigint('reference_count', { mode: 'number' }).notNull(),
    currentCount: bigint('current_count', { mode: 'number' }).notNull(),
    /** Bins that were compared. */
    bins: integer('bins'),
    /** Of ks: how much greater D of the values may be. */
    resolution: doublePrecision('resolution'),
    reason: text('reason'),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('test', t.checkId, t.field, t.name, t.test),
    constraint.foreignKey('check', [t.checkId], [monitoringDriftChecks.id], { onDelete: 'cascade' }),
    // A field over time; what drifted of a version last.
    constraint.index('version', [t.modelVersionId, t.toDay, t.field, t.name]),
    constraint.oneOf('field', t.field, profiledFields),
    constraint.oneOf('test', t.test, driftTests),
    constraint.oneOf('verdict', t.verdict, driftVerdicts),
    constraint.check('reason', sql`(${t.verdict} = 'undefined') = (${t.reason} is not null)`),
    constraint.check('result', sql`(${t.verdict} = 'undefined') = (${t.distance} is null)`),
  ],
);
