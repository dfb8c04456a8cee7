import {
  actorColumn,
  createdAtColumn,
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
import { bigint, doublePrecision, integer, type PgColumn, text, uuid } from 'drizzle-orm/pg-core';
import { TRAINING_LIMITS } from '../limits.ts';

export const runStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'stale'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** JSON as a document: an environment, metadata. */
export type JsonObject = Readonly<Record<string, unknown>>;

// Also holds for rows inserted by hand. Characters, of which there are never more than UTF-16 code units.
const atMost = (column: PgColumn, limit: number): SQL => sql`length(${column}) between 1 and ${sql.raw(String(limit))}`;

/**
 * One row a run. Its row is its one lock: whatever changes a run or logs to it takes it first (see lockRun), so that
 * writers of one run take turns and those of two runs never meet.
 */
export const trainingRuns = tenantTable(
  'training_runs',
  {
    id: idColumn<'Run'>(),
    name: text('name').notNull(),
    /** What MLflow calls an experiment. */
    group: text('group_name').notNull().default('default'),
    status: stateColumn('status', runStatuses).notNull().default('queued'),
    description: text('description'),
    codeVersion: text('code_version'),
    datasetName: text('dataset_name'),
    datasetDigest: text('dataset_digest'),
    seed: bigint('seed', { mode: 'number' }),
    /** Libraries, hardware, command line: what is needed to run it again. */
    environment: jsonColumn<JsonObject>('environment').notNull().default({}),
    parentRunId: referenceColumn<'Run'>('parent_run_id'),
    /** 1, and one more with each retry. */
    attempt: integer('attempt').notNull().default(1),
    /** Until when its worker must have sent a heartbeat; null where it runs without a lease, or does not run. */
    leasedUntil: timeColumn('leased_until'),
    /** Grows with each start, sweep and cancellation; 0 where no lease was ever taken. Writers with an older one are refused. */
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    /** The highest small id that a metric key of this run has (training_metric_keys). */
    lastMetricKeyId: integer('last_metric_key_id').notNull().default(0),
    /** The number of the last lifecycle change; the order of training_events. */
    lastChangeNumber: bigint('last_change_number', { mode: 'number' }).notNull().default(0),
    startedAt: timeColumn('started_at'),
    endedAt: timeColumn('ended_at'),
    /** What a failed run ended with. */
    error: text('error'),
    actor: actorColumn(),
    deletedAt: timeColumn('deleted_at'),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.check('name', atMost(t.name, TRAINING_LIMITS.nameLength)),
    constraint.check('group', atMost(t.group, TRAINING_LIMITS.nameLength)),
    constraint.oneOf('status', t.status, runStatuses),
    constraint.check('attempt', sql`${t.attempt} >= 1`),
    constraint.foreignKey('parent', [t.parentRunId], [t.id]),
    // The children of a run, and the check when it is purged.
    constraint.index('parent', [t.parentRunId, t.id], sql`${t.parentRunId} is not null`),
    // Search: runs by time of creation, newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // Search: the runs of a group, newest first.
    constraint.index('group', [t.group, t.createdAt, t.id]),
    // claimRun: the queued runs, the oldest first.
    constraint.index('queued', [t.createdAt, t.id], sql`${t.status} = 'queued' and ${t.deletedAt} is null`),
    // claimRun with a group: however many runs of other groups wait longer.
    constraint.index(
      'queued_group',
      [t.group, t.createdAt, t.id],
      sql`${t.status} = 'queued' and ${t.deletedAt} is null`,
    ),
    // The sweep: runs whose lease has run out, and the next that will.
    constraint.index('lease', [t.leasedUntil, t.id], sql`${t.leasedUntil} is not null`),
    // Search: runs on a dataset.
    constraint.index('dataset', [t.datasetDigest, t.id], sql`${t.datasetDigest} is not null`),
    // The purge: what was deleted before a time.
    constraint.index('deleted', [t.deletedAt, t.id], sql`${t.deletedAt} is not null`),
  ],
);

/** Characters of a param's or a tag's value in the indexes: with tenant and key at their longest a row of them still fits. */
export const VALUE_START_LENGTH = 200;

/**
 * What an index can hold of a value, whose thousands of characters are more than a page's third. A column and no expression
 * of the index: under row level security only leakproof functions reach an index, and left() is none.
 */
const valueStart = () =>
  text('value_start')
    .notNull()
    .generatedAlwaysAs(sql.raw(`left(value, ${VALUE_START_LENGTH})`));

/** What a run was started with. A param that was logged is never changed. */
export const trainingParams = tenantTable(
  'training_params',
  {
    runId: referenceColumn<'Run'>('run_id').notNull(),
    key: text('key').notNull(),
    value: text('value').notNull(),
    valueStart: valueStart(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.runId, t.key),
    constraint.check('key', atMost(t.key, TRAINING_LIMITS.keyLength)),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id], { onDelete: 'cascade' }),
    // Search: the runs with a param of this value.
    constraint.index('value', [t.key, t.valueStart, t.runId]),
  ],
);

export const trainingTags = tenantTable(
  'training_tags',
  {
    runId: referenceColumn<'Run'>('run_id').notNull(),
    key: text('key').notNull(),
    value: text('value').notNull(),
    valueStart: valueStart(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.runId, t.key),
    constraint.check('key', atMost(t.key, TRAINING_LIMITS.keyLength)),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id], { onDelete: 'cascade' }),
    // Search: the runs with a tag of this value.
    constraint.index('value', [t.key, t.valueStart, t.runId]),
  ],
);

export const metricGoals = ['minimize', 'maximize'] as const;
export type MetricGoal = (typeof metricGoals)[number];

/**
 * One row a metric key of a run: its small id, and what searches and tables need without reading the points. It is kept
 * by the statement that stores the points, and depends on them alone, whatever the order in which they came.
 */
export const trainingMetricKeys = tenantTable(
  'training_metric_keys',
  {
    runId: referenceColumn<'Run'>('run_id').notNull(),
    key: text('key').notNull(),
    /** Stands for the key in training_metrics: a fifth less to store and to write, more with long keys (ADR 0014). */
    keyId: integer('key_id').notNull(),
    /** Points that are stored. */
    pointCount: bigint('point_count', { mode: 'number' }).notNull().default(0),
    /** Of the last point by (step, time, value). NaN and infinities are values. */
    latestStep: bigint('latest_step', { mode: 'number' }),
    latestAt: timeColumn('latest_at'),
    latestValue: doublePrecision('latest_value'),
    /** Of the points that are not NaN; the first by (step, time) where several have it. Null where all are NaN. */
    minValue: doublePrecision('min_value'),
    minStep: bigint('min_step', { mode: 'number' }),
    minAt: timeColumn('min_at'),
    maxValue: doublePrecision('max_value'),
    maxStep: bigint('max_step', { mode: 'number' }),
    maxAt: timeColumn('max_at'),
    /** Which way is better; null: nobody said, and there is no best. */
    goal: stateColumn('goal', metricGoals),
    bestValue: doublePrecision('best_value').generatedAlwaysAs(
      sql`case goal when 'minimize' then min_value when 'maximize' then max_value end`,
    ),
    bestStep: bigint('best_step', { mode: 'number' }).generatedAlwaysAs(
      sql`case goal when 'minimize' then min_step when 'maximize' then max_step end`,
    ),
  },
  (t, constraint) => [
    constraint.primaryKey(t.runId, t.key),
    constraint.unique('key_id', t.runId, t.keyId),
    constraint.check('key', atMost(t.key, TRAINING_LIMITS.keyLength)),
    constraint.oneOf('goal', t.goal, metricGoals),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id], { onDelete: 'cascade' }),
    // Search: runs by the latest, best, smallest and greatest value of a metric, in its order or within a range of it.
    constraint.index('latest', [t.key, t.latestValue, t.runId]),
    constraint.index('best', [t.key, t.bestValue, t.runId]),
    constraint.index('min', [t.key, t.minValue, t.runId]),
    constraint.index('max', [t.key, t.maxValue, t.runId]),
  ],
);

/**
 * The points of all metrics. The primary key holds every column, so that one key of one run is one range of it and is
 * read from the index alone, and a point that comes twice is one row.
 *
 * No foreign key leads to the run: it would be checked for each point, and a cascade would delete millions of points in
 * one transaction. The functions hold the run's row when they write here, and the purge deletes in small steps.
 */
export const trainingMetrics = tenantTable(
  'training_metrics',
  {
    runId: uuid('run_id').notNull(),
    keyId: integer('key_id').notNull(),
    step: bigint('step', { mode: 'number' }).notNull(),
    at: createdAtColumn('at'),
    value: doublePrecision('value').notNull(),
  },
  (t, constraint) => [constraint.primaryKey(t.runId, t.keyId, t.step, t.at, t.value)],
);

/** What a run wrote: the seed's "output files". All of them are the run's manifest. */
export const trainingArtifacts = tenantTable(
  'training_artifacts',
  {
    runId: referenceColumn<'Run'>('run_id').notNull(),
    /** Within the run, with "/": `model/weights.onnx`. */
    path: text('path').notNull(),
    /** What it is, such as `model`, `checkpoint`, `plot`. */
    kind: text('kind').notNull().default('file'),
    uri: text('uri'),
    bytes: bigint('bytes', { mode: 'number' }),
    /** Lower-case hex. */
    sha256: text('sha256'),
    metadata: jsonColumn<JsonObject>('metadata').notNull().default({}),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.runId, t.path),
    constraint.check('path', atMost(t.path, TRAINING_LIMITS.artifactPathLength)),
    constraint.check('bytes', sql`${t.bytes} >= 0`),
    constraint.check('sha256', sql`${t.sha256} ~ '^[0-9a-f]{64}$'`),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id], { onDelete: 'cascade' }),
    // Which runs wrote this file.
    constraint.index('sha256', [t.sha256, t.runId], sql`${t.sha256} is not null`),
  ],
);

export const runEventKinds = [
  'created',
  'started',
  'retried',
  'succeeded',
  'failed',
  'cancelled',
  'stale',
  'renamed',
  'deleted',
  'restored',
  'purged',
  'model_linked',
  'model_unlinked',
] as const;
export type RunEventKind = (typeof runEventKinds)[number];

/** The lifecycle of each run. Plain values: the rows outlive what they name. */
export const trainingEvents = tenantTable(
  'training_events',
  {
    runId: uuid('run_id').notNull(),
    changeNumber: bigint('change_number', { mode: 'number' }).notNull(),
    kind: stateColumn('kind', runEventKinds).notNull(),
    /** The run's name and attempt at that time. */
    name: text('name').notNull(),
    attempt: integer('attempt').notNull(),
    fromStatus: stateColumn('from_status', runStatuses),
    toStatus: stateColumn('to_status', runStatuses),
    reason: text('reason'),
    /** Of model_linked and model_unlinked. */
    modelName: text('model_name'),
    modelVersion: text('model_version'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // The history of a run, by pages.
    constraint.primaryKey(t.runId, t.changeNumber),
    constraint.oneOf('kind', t.kind, runEventKinds),
    constraint.oneOf('from_status', t.fromStatus, runStatuses),
    constraint.oneOf('to_status', t.toStatus, runStatuses),
  ],
  { appendOnly: true },
);

export const runModelRoles = ['output', 'input'] as const;
export type RunModelRole = (typeof runModelRoles)[number];

/** Which versions a run produced (output) or began from (input): the one home of that fact. */
export const trainingRunModels = tenantTable(
  'training_run_models',
  {
    runId: referenceColumn<'Run'>('run_id').notNull(),
    versionId: referenceColumn<'ModelVersion'>('version_id').notNull(),
    role: stateColumn('role', runModelRoles).notNull().default('output'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.runId, t.versionId, t.role),
    constraint.oneOf('role', t.role, runModelRoles),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id], { onDelete: 'cascade' }),
    // NO ACTION: a version whose origin is recorded here is not erased before the link is removed.
    constraint.foreignKey('version', [t.versionId], [modelRegistry.id]),
    // Search: the runs of a version, and the check when it is erased.
    constraint.index('version', [t.versionId, t.runId]),
  ],
);

/**
 * Runs that were deleted for good and whose points are still there. With its row a run is gone for everyone at once; the
 * points go in small steps afterwards, and this is what finds them after a crash.
 */
export const trainingPurges = tenantTable(
  'training_purges',
  {
    runId: uuid('run_id').notNull(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(t.runId)],
);
