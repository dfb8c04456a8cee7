import {
  actorColumn,
  createdAtColumn,
  type Id,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import { bigint, boolean, doublePrecision, integer, type PgColumn, smallint, text } from 'drizzle-orm/pg-core';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import type { Targeting } from './targeting.ts';

export const experimentStatuses = ['draft', 'running', 'paused', 'stopped', 'archived'] as const;
export type ExperimentStatus = (typeof experimentStatuses)[number];

/** A fixed test is read once, at its end; a sequential one may be looked at whenever one likes. */
export const experimentTests = ['fixed', 'sequential'] as const;
export type ExperimentTest = (typeof experimentTests)[number];

/** How p values of the secondary metrics are corrected for being many. */
export const experimentCorrections = ['none', 'holm', 'benjamini_hochberg'] as const;
export type ExperimentCorrection = (typeof experimentCorrections)[number];

export const metricRoles = ['primary', 'secondary', 'guardrail'] as const;
export type MetricRole = (typeof metricRoles)[number];

/** Of the sum of a unit's outcomes: its mean, the share of units that have any, a ratio of two sums, a quantile. */
export const metricKinds = ['mean', 'proportion', 'ratio', 'quantile'] as const;
export type MetricKind = (typeof metricKinds)[number];

/** Which way is better. */
export const metricDirections = ['increase', 'decrease'] as const;
export type MetricDirection = (typeof metricDirections)[number];

/** A stretch of the hash, `start <= hash < end`, that belongs to a variant; a variant may have several. */
export interface VariantRange {
  readonly variantId: Id<'Variant'>;
  readonly start: number;
  readonly end: number;
}

// Also hold for rows inserted by hand. Characters, of which there are never more than UTF-16 code units.
const filled = (column: PgColumn, length: number): SQL =>
  sql`length(${column}) between 1 and ${sql.raw(String(length))}`;

/** Experiments of one layer have ranges of its hash that do not overlap, so that no unit is in two of them. */
export const abLayers = tenantTable(
  'ab_layers',
  {
    id: idColumn<'Layer'>(),
    key: text('key').notNull(),
    /** What the layer's hash takes beside the unit. */
    seed: text('seed').notNull(),
    description: text('description'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('key', t.key),
    constraint.check('key', filled(t.key, EXPERIMENT_LIMITS.keyLength)),
    constraint.check('seed', filled(t.seed, EXPERIMENT_LIMITS.seedLength)),
  ],
);

/** An experiment: what is asked, of whom, and how it is judged. */
export const abExperiments = tenantTable(
  'ab_experiments',
  {
    id: idColumn<'Experiment'>(),
    key: text('key').notNull(),
    hypothesis: text('hypothesis').notNull(),
    status: stateColumn('status', experimentStatuses).notNull().default('draft'),
    /** What the hash takes beside the unit; made from the key, so that an experiment made again assigns as before. */
    seed: text('seed').notNull(),
    hashVersion: smallint('hash_version').notNull().default(2),
    /** Which units are asked, by their attributes; null is all. */
    targeting: jsonColumn<Targeting>('targeting'),
    layerId: referenceColumn<'Layer'>('layer_id'),
    layerStart: doublePrecision('layer_start'),
    layerEnd: doublePrecision('layer_end'),
    test: stateColumn('test', experimentTests).notNull().default('sequential'),
    alpha: doublePrecision('alpha').notNull().default(0.05),
    correction: stateColumn('correction', experimentCorrections).notNull().default('holm'),
    /** Units of all variants together at which the intervals of a sequential test are narrowest. */
    plannedUnits: integer('planned_units').notNull().default(5_000),
    /** Units a variant below which nothing is called significant. */
    minimumUnits: integer('minimum_units').notNull().default(150),
    /** The allocation that holds: ab_allocations.epoch. */
    epoch: integer('epoch').notNull().default(1),
    /** One more with each change of what is analysed, and how. */
    revision: integer('revision').notNull().default(1),
    /** ab_experiment_events.change_number of the last change. */
    lastChangeNumber: integer('last_change_number').notNull().default(0),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
    startedAt: timeColumn('started_at'),
    stoppedAt: timeColumn('stopped_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('key', t.key),
    constraint.foreignKey('layer', [t.layerId], [abLayers.id]),
    constraint.check('key', filled(t.key, EXPERIMENT_LIMITS.keyLength)),
    constraint.check('seed', filled(t.seed, EXPERIMENT_LIMITS.seedLength)),
    constraint.check('hypothesis', filled(t.hypothesis, EXPERIMENT_LIMITS.hypothesisLength)),
    constraint.check('hash_version', sql`${t.hashVersion} in (1, 2)`),
    constraint.check('alpha', sql`${t.alpha} > 0 and ${t.alpha} < 1`),
    constraint.check('minimum_units', sql`${t.minimumUnits} >= 2 and ${t.plannedUnits} >= 2`),
    constraint.check(
      'layer',
      sql`case when ${t.layerId} is null then ${t.layerStart} is null and ${t.layerEnd} is null
          else ${t.layerStart} >= 0 and ${t.layerStart} < ${t.layerEnd} and ${t.layerEnd} <= 1 end`,
    ),
    constraint.oneOf('status', t.status, experimentStatuses),
    constraint.oneOf('test', t.test, experimentTests),
    constraint.oneOf('correction', t.correction, experimentCorrections),
    // The newest experiments: listExperiments.
    constraint.index('created', [t.createdAt, t.id]),
    // The experiments of a layer, whose ranges must not overlap.
    constraint.index('layer', [t.layerId, t.id]),
  ],
);

/** What is compared. Named by id everywhere, never by its position. */
export const abVariants = tenantTable(
  'ab_variants',
  {
    id: idColumn<'Variant'>(),
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    key: text('key').notNull(),
    /** Orders the variants as they were given: the order of the hash's ranges. */
    position: smallint('position').notNull(),
    /** What the others are compared with. */
    isControl: boolean('is_control').notNull().default(false),
    /** The model version that serves the variant's units. */
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id'),
    description: text('description'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('key', t.experimentId, t.key),
    constraint.uniqueWhere('control', [t.experimentId], sql`${t.isControl}`),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    constraint.check('key', filled(t.key, EXPERIMENT_LIMITS.keyLength)),
    // Which experiments serve a version; the check when the version is erased.
    constraint.index('version', [t.modelVersionId, t.id]),
  ],
);

/** What is measured of each unit, and how it is judged. */
export const abMetrics = tenantTable(
  'ab_metrics',
  {
    id: idColumn<'ExperimentMetric'>(),
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    key: text('key').notNull(),
    position: smallint('position').notNull(),
    role: stateColumn('role', metricRoles).notNull(),
    kind: stateColumn('kind', metricKinds).notNull(),
    /** The name of the outcomes that it is made of: ab_outcomes.outcome. */
    outcome: text('outcome').notNull(),
    /** Of a ratio: the outcomes of its denominator. */
    denominator: text('denominator'),
    /** Of a quantile: which, above 0 and below 1. */
    quantile: doublePrecision('quantile'),
    direction: stateColumn('direction', metricDirections).notNull().default('increase'),
    /** The least change that matters, as a share of the control's value. */
    minimumEffect: doublePrecision('minimum_effect'),
    /** In the place of the experiment's. */
    alpha: doublePrecision('alpha'),
    /** Counted are outcomes within [first exposure + delay, first exposure + delay + window); null is without end. */
    delayMs: bigint('delay_ms', { mode: 'number' }).notNull().default(0),
    windowMs: bigint('window_ms', { mode: 'number' }),
    /** How long before the first exposure a unit's outcomes count as its covariate (CUPED); null is without. */
    cupedMs: bigint('cuped_ms', { mode: 'number' }),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('key', t.experimentId, t.key),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.check('key', filled(t.key, EXPERIMENT_LIMITS.keyLength)),
    constraint.check('outcome', filled(t.outcome, EXPERIMENT_LIMITS.outcomeLength)),
    constraint.check(
      'denominator',
      sql`(${t.denominator} is not null) = (${t.kind} = 'ratio') and ${filled(t.denominator, EXPERIMENT_LIMITS.outcomeLength)}`,
    ),
    constraint.check(
      'quantile',
      sql`(${t.quantile} is not null) = (${t.kind} = 'quantile') and ${t.quantile} > 0 and ${t.quantile} < 1`,
    ),
    constraint.check('judged', sql`${t.alpha} > 0 and ${t.alpha} < 1 and ${t.minimumEffect} > 0`),
    constraint.check('window', sql`${t.delayMs} >= 0 and ${t.windowMs} > 0 and ${t.cupedMs} > 0`),
    constraint.oneOf('role', t.role, metricRoles),
    constraint.oneOf('kind', t.kind, metricKinds),
    constraint.oneOf('direction', t.direction, metricDirections),
  ],
);

/** How the hash was shared out, and from when: one row an epoch, never changed. */
export const abAllocations = tenantTable(
  'ab_allocations',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    epoch: integer('epoch').notNull(),
    /** What the hash took beside the unit, with the version of the hash: an epoch says all that it assigned by. */
    seed: text('seed').notNull(),
    hashVersion: smallint('hash_version').notNull(),
    /** The share of all units that is asked. */
    coverage: doublePrecision('coverage').notNull(),
    /** By the variants' positions. */
    weights: doublePrecision('weights').array().notNull(),
    ranges: jsonColumn<readonly VariantRange[]>('ranges').notNull(),
    /** Whether GrowthBook's SDKs assign the same from coverage and weights. */
    sdkCompatible: boolean('sdk_compatible').notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.experimentId, t.epoch),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.check('coverage', sql`${t.coverage} between 0 and 1`),
  ],
  { appendOnly: true },
);

/** A share of all units, by a hash of its own, that none of the holdout's experiments asks. */
export const abHoldouts = tenantTable(
  'ab_holdouts',
  {
    id: idColumn<'Holdout'>(),
    key: text('key').notNull(),
    seed: text('seed').notNull(),
    share: doublePrecision('share').notNull(),
    description: text('description'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('key', t.key),
    constraint.check('key', filled(t.key, EXPERIMENT_LIMITS.keyLength)),
    constraint.check('seed', filled(t.seed, EXPERIMENT_LIMITS.seedLength)),
    constraint.check('share', sql`${t.share} > 0 and ${t.share} < 1`),
  ],
);

/** Which experiments a holdout is held out of. */
export const abHoldoutExperiments = tenantTable(
  'ab_holdout_experiments',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    holdoutId: referenceColumn<'Holdout'>('holdout_id').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.experimentId, t.holdoutId),
    constraint.foreignKey('experiment', [t.experimentId], [abExperiments.id], { onDelete: 'cascade' }),
    constraint.foreignKey('holdout', [t.holdoutId], [abHoldouts.id]),
    // The experiments of a holdout.
    constraint.index('holdout', [t.holdoutId, t.experimentId]),
  ],
);
