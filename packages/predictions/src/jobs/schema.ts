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
import { bigint, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';
import type { StoredRow } from './batch-row.ts';

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
    chunkRows: integer('chunk_rows').notNull(),
    chunkCount: integer('chunk_count').notNull().default(0),
    rowCount: bigint('row_count', { mode: 'number' }).notNull().default(0),
    /** Chunks of this job that are worked on at a time; null: no cap. */
    maxRunningChunks: integer('max_running_chunks'),
    maxAttempts: integer('max_attempts').notNull().default(5),
    backoffBaseMs: bigint('backoff_base_ms', { mode: 'number' }).notNull().default(1_000),
    backoffMaxMs: bigint('backoff_max_ms', { mode: 'number' }).notNull().default(300_000),
    /** The number of the last lifecycle change; the order of batch_job_events. */
    lastChangeNumber: bigint('last_change_number', { mode: 'number' }).notNull().default(0),
    /** Null while its rows still come: nobody sees such a job or claims from it. */
    submittedAt: timeColumn('submitted_at'),
    /** Until when more rows are waited for; then the submission was abandoned. */
    submissionUntil: timeColumn('submission_until'),
    startedAt: timeColumn('started_at'),
    endedAt: timeColumn('ended_at'),
    /** Time that it was running for, up to active_since. */
    activeMs: doublePrecision('active_ms').notNull().default(0),
    /** Since when it is running; null while it is not. */
    activeSince: timeColumn('active_since'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('status', t.status, batchJobStatuses),
    constraint.check('max_running_chunks', sql`${t.maxRunningChunks} >= 1`),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    // Claim: the jobs that may be worked on, the highest priority first, then the oldest.
    constraint.index(
      'open',
      [t.priority.desc(), t.id],
      sql`${t.status} in ('queued', 'running') and ${t.submittedAt} is not null`,
    ),
    // Lists: the newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // The jobs of a version, and the check when it is erased.
    constraint.index('version', [t.modelVersionId, t.id]),
  ],
);

/** A part of a job that one worker predicts at once. */
export const batchJobChunks = tenantTable(
  'batch_job_chunks',
  {
    jobId: referenceColumn<'BatchJob'>('job_id').notNull(),
    /** From 1. */
    number: integer('number').notNull(),
    status: stateColumn('status', batchChunkStatuses).notNull().default('queued'),
    /** Rows that are to be predicted; of a chunk that is tried again, those that were dead. */
    rowCount: integer('row_count').notNull(),
    /** Null when the chunk has ended. Here and not in a table of its own: beyond 2 kB a claim does not rewrite it (TOAST). */
    rows: jsonColumn<readonly StoredRow[]>('rows'),
    attempts: integer('attempts').notNull().default(0),
    /** From when it may be claimed; later after a failure. */
    dueAt: createdAtColumn('due_at'),
    /** In no index, so that a heartbeat writes to none. */
    leasedUntil: timeColumn('leased_until'),
    /** Grows with each claim, sweep and cancellation. */
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    /** Why the last attempt failed. */
    error: text('error'),
    endedAt: timeColumn('ended_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.number),
    constraint.oneOf('status', t.status, batchChunkStatuses),
    constraint.check('rows', sql`(${t.rows} is null) = (${t.status} in ('succeeded', 'dead'))`),
    constraint.foreignKey('job', [t.jobId], [batchJobs.id], { onDelete: 'cascade' }),
    // Claim: the due chunks of a job.
    constraint.index('queued', [t.jobId, t.dueAt, t.number], sql`${t.status} = 'queued'`),
    // The caps and the sweep of lost leases, by what is worked on at this moment.
    constraint.index('running', [t.jobId, t.number], sql`${t.status} = 'running'`),
  ],
);

/**
 * What has become of a job's rows, as sums over several rows a job. Each connection adds to one of them, so that workers
 * that complete chunks at the same time do not wait for each other, and progress is read without the chunks.
 */
export const batchJobTallies = tenantTable(
  'batch_job_tallies',
  {
    jobId: referenceColumn<'BatchJob'>('job_id').notNull(),
    slot: integer('slot').notNull(),
    chunksSucceeded: bigint('chunks_succeeded', { mode: 'number' }).notNull().default(0),
    chunksDead: bigint('chunks_dead', { mode: 'number' }).notNull().default(0),
    rowsSucceeded: bigint('rows_succeeded', { mode: 'number' }).notNull().default(0),
    rowsDead: bigint('rows_dead', { mode: 'number' }).notNull().default(0),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.slot),
    constraint.foreignKey('job', [t.jobId], [batchJobs.id], { onDelete: 'cascade' }),
  ],
);

export const deadLetterKinds = ['row', 'chunk'] as const;

/** A row that could not be predicted: by itself, or with its chunk, whose attempts were used up. */
export const batchDeadLetters = tenantTable(
  'batch_dead_letters',
  {
    jobId: referenceColumn<'BatchJob'>('job_id').notNull(),
    /** Its place in the job, from 0. */
    rowNumber: bigint('row_number', { mode: 'number' }).notNull(),
    chunkNumber: integer('chunk_number').notNull(),
    kind: stateColumn('kind', deadLetterKinds).notNull(),
    reason: text('reason').notNull(),
    /** As it was submitted. */
    input: jsonColumn<StoredRow>('input').notNull(),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [
    // The dead letters of a job, in the order of its rows.
    constraint.primaryKey(t.jobId, t.rowNumber),
    constraint.oneOf('kind', t.kind, deadLetterKinds),
    constraint.foreignKey('job', [t.jobId], [batchJobs.id], { onDelete: 'cascade' }),
  ],
);

export const batchJobEventKinds = [
  'submitted',
  'started',
  'paused',
  'resumed',
  'succeeded',
  'failed',
  'cancelled',
  'retried',
  'deleted',
] as const;
export type BatchJobEventKind = (typeof batchJobEventKinds)[number];

/** What became of a job, in order. Refers to nothing, and stays when the job is deleted. */
export const batchJobEvents = tenantTable(
  'batch_job_events',
  {
    jobId: uuid('job_id').notNull(),
    changeNumber: bigint('change_number', { mode: 'number' }).notNull(),
    kind: stateColumn('kind', batchJobEventKinds).notNull(),
    jobName: text('job_name').notNull(),
    fromStatus: stateColumn('from_status', batchJobStatuses),
    toStatus: stateColumn('to_status', batchJobStatuses),
    reason: text('reason'),
    actor: actorColumn(),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.jobId, t.changeNumber),
    constraint.oneOf('kind', t.kind, batchJobEventKinds),
    constraint.oneOf('to_status', t.toStatus, batchJobStatuses),
  ],
  { appendOnly: true },
);

/**
 * How much of the workers a tenant may have at a time, and the one lock of claims that a cap holds for. One row a tenant
 * that ever had a cap, of its own or of a job.
 */
export const batchLimits = tenantTable(
  'batch_limits',
  {
    /** Null: no cap but those of jobs. */
    maxRunningChunks: integer('max_running_chunks'),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(), constraint.check('max_running_chunks', sql`${t.maxRunningChunks} >= 1`)],
);
