import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { bigint, boolean, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';
import type { ArmComparison, HealthCheck } from '../analysis/analysis.ts';
import type { AnalysisDefinition } from '../analysis/analysis-definition.ts';
import { abExperiments, metricKinds, metricRoles } from '../design/schema.ts';
import type { StoredInput } from './stored-input.ts';

const count = (name: string) => bigint(name, { mode: 'number' }).notNull();

/** An analysis as it was at one time, with all that it was computed from: it can be computed again, and is never changed. */
export const abAnalysisSnapshots = tenantTable(
  'ab_analysis_snapshots',
  {
    id: idColumn<'AnalysisSnapshot'>(),
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    /** Counts the snapshots of an experiment, from 1. */
    number: integer('number').notNull(),
    /** How many different inputs the experiment's snapshots have had, this one included: how often it was looked at. */
    look: integer('look').notNull(),
    /** Exposures and outcomes from this time on were not looked at. */
    asOf: timeColumn('as_of').notNull(),
    /** Of the definition: ab_experiments.revision. */
    revision: integer('revision').notNull(),
    /** Of the analysis: ANALYSIS_VERSION. */
    codeVersion: integer('code_version').notNull(),
    definition: jsonColumn<AnalysisDefinition>('definition').notNull(),
    /** Sums and counts, without `as_of`. */
    input: jsonColumn<StoredInput>('input').notNull(),
    /** SHA-256 of the input's canonical JSON: equal inputs have equal hashes, whenever they were read. */
    inputHash: text('input_hash').notNull(),
    /** The same of the whole analysis. */
    analysisHash: text('analysis_hash').notNull(),
    units: count('units'),
    multipleUnits: count('multiple_units'),
    forcedUnits: count('forced_units'),
    exposedBeforeAssignment: count('exposed_before_assignment'),
    outcomes: count('outcomes'),
    /** One of each check. */
    health: jsonColumn<readonly HealthCheck[]>('health').notNull(),
    actor: actorColumn(),
    takenAt: createdAtColumn('taken_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    // The snapshots of an experiment in their order, and the next number.
    constraint.unique('number', t.experimentId, t.number),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.check('look', sql`${t.look} between 1 and ${t.number}`),
  ],
  { appendOnly: true },
);

/**
 * The numbers of a snapshot: one row a metric, variant and slice. Names and ids are plain values, as the definition had
 * them. Of the control the comparison is null; what is undefined is null, and `reason` says why.
 */
export const abSnapshotResults = tenantTable(
  'ab_snapshot_results',
  {
    snapshotId: referenceColumn<'AnalysisSnapshot'>('snapshot_id').notNull(),
    metricId: uuid('metric_id').notNull(),
    variantId: uuid('variant_id').notNull(),
    /** Empty with an empty value: all units. */
    dimension: text('dimension').notNull().default(''),
    value: text('value').notNull().default(''),
    /** Orders the rows of a snapshot. */
    position: integer('position').notNull(),
    metricKey: text('metric_key').notNull(),
    variantKey: text('variant_key').notNull(),
    role: stateColumn('role', metricRoles).notNull(),
    kind: stateColumn('kind', metricKinds).notNull(),
    isControl: boolean('is_control').notNull(),
    n: count('n'),
    /** Units whose value is not 0. */
    nonZero: count('non_zero'),
    mean: doublePrecision('mean'),
    /** Of one unit: the mean has variance / n. */
    variance: doublePrecision('variance'),
    /** Treatment - control, under CUPED adjusted; bounds and p of a test that is read once. */
    absoluteEstimate: doublePrecision('absolute_estimate'),
    absoluteStandardError: doublePrecision('absolute_standard_error'),
    absoluteDegreesOfFreedom: doublePrecision('absolute_degrees_of_freedom'),
    absoluteLower: doublePrecision('absolute_lower'),
    absoluteUpper: doublePrecision('absolute_upper'),
    absoluteP: doublePrecision('absolute_p'),
    /** The same, valid at every look. */
    absoluteValidLower: doublePrecision('absolute_valid_lower'),
    absoluteValidUpper: doublePrecision('absolute_valid_upper'),
    absoluteValidP: doublePrecision('absolute_valid_p'),
    absoluteReason: text('absolute_reason'),
    /** The difference divided by |control|. */
    relativeEstimate: doublePrecision('relative_estimate'),
    relativeStandardError: doublePrecision('relative_standard_error'),
    relativeDegreesOfFreedom: doublePrecision('relative_degrees_of_freedom'),
    relativeLower: doublePrecision('relative_lower'),
    relativeUpper: doublePrecision('relative_upper'),
    relativeP: doublePrecision('relative_p'),
    relativeValidLower: doublePrecision('relative_valid_lower'),
    relativeValidUpper: doublePrecision('relative_valid_upper'),
    relativeValidP: doublePrecision('relative_valid_p'),
    relativeReason: text('relative_reason'),
    /** p of the absolute difference, corrected within its family. */
    adjustedP: doublePrecision('adjusted_p'),
    adjustedValidP: doublePrecision('adjusted_valid_p'),
    /** In the metric's direction. */
    chanceToWin: doublePrecision('chance_to_win'),
    riskOfControl: doublePrecision('risk_of_control'),
    riskOfTreatment: doublePrecision('risk_of_treatment'),
    /** Of CUPED; null without. */
    theta: doublePrecision('theta'),
    /** Under CUPED the comparison without it: read beside the row, not searched by. */
    unadjusted: jsonColumn<ArmComparison>('unadjusted'),
    reason: text('reason'),
  },
  (t, constraint) => [
    // The rows of a snapshot; those of a metric and variant.
    constraint.primaryKey(t.snapshotId, t.metricId, t.variantId, t.dimension, t.value),
    constraint.foreignKey('snapshot', [t.snapshotId], [abAnalysisSnapshots.id], { onDelete: 'cascade' }),
    constraint.oneOf('role', t.role, metricRoles),
    constraint.oneOf('kind', t.kind, metricKinds),
  ],
  { appendOnly: true },
);

/** Which snapshot of an experiment was the official one, and from when: the last row holds. */
export const abSnapshotPins = tenantTable(
  'ab_snapshot_pins',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    /** Counts the changes of an experiment's pin, from 1. */
    changeNumber: integer('change_number').notNull(),
    /** Null from when on none is official. */
    snapshotId: referenceColumn<'AnalysisSnapshot'>('snapshot_id'),
    reason: text('reason'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // The pin that holds, and its history.
    constraint.primaryKey(t.experimentId, t.changeNumber),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.foreignKey('snapshot', [t.snapshotId], [abAnalysisSnapshots.id], { onDelete: 'cascade' }),
    // The check where a snapshot goes with its experiment.
    constraint.index('snapshot', [t.snapshotId], sql`${t.snapshotId} is not null`),
  ],
  { appendOnly: true },
);
