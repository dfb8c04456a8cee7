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
import { sql } from 'drizzle-orm';
import { bigint, integer, text, uuid } from 'drizzle-orm/pg-core';

export const batchJobStatuses = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type BatchJobStatus = (typeof batchJobStatuses)[number];

export const batchChunkStatuses = ['queued', 'running', 'succeeded', 'dead'] as const;
export type BatchChunkStatus = (typeof batchChunkStatuses)[number];

/** One row a job: rows to predict by one version, in chunks that workers claim. */
export const batchJobs = tenantTable(
  'batch_jobs',
  {
    id: idColumn<'BatchJob'>(),
    name: text('name').notNull(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    status: stateColumn('status', batchJobStatuses).notNull().default('queued'),
    /** The higher comes first. */
    priority: integer('priority').notNull().default(0),
    chunkCount: bigint('chunk_count', { mode: 'number' }).notNull().default(0),
    rowCount: bigint('row_count', { mode: 'number' }).notNull().default(0),
    /** Chunks of this job that are worked on at a time; null: no cap. */
    maxRunningChunks: integer('max_running_chunks'),
    maxAttempts: integer('max_attempts').notNull().default(5),
    /** The number of the last lifecycle change; the order of batch_job_events. */
    lastChangeNumber: bigint('last_change_number', { mode: 'number' }).notNull().default(0),
    error: text('error'),
    startedAt: timeColumn('started_at'),
    endedAt: timeColumn('ended_at'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('status', t.status, batchJobStatuses),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    // Claim: the jobs that may be worked on, the highest priority first, then the oldest.
    constraint.index('open', [t.priority.desc(), t.id], sql`${t.status} in ('queued', 'running')`),
    // Lists: the newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // The jobs of a version, and the check when it is erased.
    constraint.index('version', [t.modelVersionId, t.id]),
  ],
);

/** A part of a job that one worker predicts at once. Its rows are in batch_job_inputs, so that a claim rewrites little. */
export const batchJobChunks = tenantTable(
  'batch_job_chunks',
  {
    jobId: referenceColumn<'BatchJob'>('job_id').notNull(),
    /** From 1. */
    number: integer('number').notNull(),
    /** Of its first row in the job, from 0. */
    firstRow: bigint('first_row', { mode: 'number' }).notNull(),
    rowCount: integer('row_count').notNull(),
    status: stateColumn('status', batchChunkStatuses).notNull().default('queued'),
    attempts: integer('attempts').notNull().default(0),
    /** From when it may be claimed; later after a failure. */
    dueAt: createdAtColumn('due_at'),
    leasedUntil: timeColumn('leased_until'),
    /** Grows with each claim and sweep. */
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    /** Why the last attempt failed. */
    error: text('error'),
    endedAt: timeColumn('ended_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.number),
    constraint.oneOf('status', t.status, batchChunkStatuses),
    constraint.foreignKey('job', [t.jobId], [batchJobs.id], { onDelete: 'cascade' }),
    // Claim: the due chunks of a job.
    constraint.index('queued', [t.jobId, t.dueAt, t.number], sql`${t.status} = 'queued'`),
    // The caps, and the sweep of lost leases.
    constraint.index('running', [t.jobId, t.leasedUntil], sql`${t.status} = 'running'`),
    // Dead letters.
    constraint.index('dead', [t.jobId, t.number], sql`${t.status} = 'dead'`),
  ],
);

/** The rows of a chunk, as they were submitted; gone when it succeeded. */
export const batchJobInputs = tenantTable(
  'batch_job_inputs',
  {
    jobId: referenceColumn<'BatchJob'>('job_id').notNull(),
    number: integer('number').notNull(),
    rows: jsonColumn<readonly unknown[]>('rows').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.number),
    constraint.foreignKey('chunk', [t.jobId, t.number], [batchJobChunks.jobId, batchJobChunks.number], {
      onDelete: 'cascade',
    }),
  ],
);

/** What became of a job, in order. Refers to nothing, and stays when the job is deleted. */
export const batchJobEvents = tenantTable(
  'batch_job_events',
  {
    jobId: uuid('job_id').notNull(),
    changeNumber: bigint('change_number', { mode: 'number' }).notNull(),
    jobName: text('job_name').notNull(),
    fromStatus: stateColumn('from_status', batchJobStatuses),
    toStatus: stateColumn('to_status', batchJobStatuses).notNull(),
    reason: text('reason'),
    actor: actorColumn(),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.changeNumber),
    constraint.oneOf('to_status', t.toStatus, batchJobStatuses),
  ],
  { appendOnly: true },
);

/** How much of the workers a tenant may have at a time. One row a tenant; without it no cap. */
export const batchLimits = tenantTable(
  'batch_limits',
  {
    maxRunningChunks: integer('max_running_chunks').notNull(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(), constraint.check('max_running_chunks', sql`${t.maxRunningChunks} >= 1`)],
);
