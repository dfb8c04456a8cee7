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
import { sql } from 'drizzle-orm';
import { bigint, boolean, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';
import { TRAINING_LIMITS } from '../limits.ts';
import { trainingRuns } from '../runs/schema.ts';
import type { Objectives } from '../samplers/objectives.ts';
import type { SamplerOptions } from '../samplers/sampler-options.ts';
import type { SearchSpace, TrialParams } from '../samplers/search-space.ts';
import type { PrunerOptions } from './pruner-options.ts';

export const studyStatuses = ['running', 'stopped'] as const;
export type StudyStatus = (typeof studyStatuses)[number];

/** waiting: enqueued, or to be tried again. stale: its worker was lost and no attempt is left. */
export const trialStatuses = ['waiting', 'running', 'complete', 'pruned', 'failed', 'stale'] as const;
export type TrialStatus = (typeof trialStatuses)[number];

/**
 * A search for hyperparameters. Its row is locked for as long as a number is taken, and never while a sampler thinks.
 */
export const hyperparameterStudies = tenantTable(
  'hyperparameter_studies',
  {
    id: idColumn<'Study'>(),
    name: text('name').notNull(),
    status: stateColumn('status', studyStatuses).notNull().default('running'),
    searchSpace: jsonColumn<SearchSpace>('search_space').notNull(),
    /** One or several, each with a name and a direction. */
    objectives: jsonColumn<Objectives>('objectives').notNull(),
    sampler: jsonColumn<SamplerOptions>('sampler').notNull(),
    /** Null: nothing is pruned. */
    pruner: jsonColumn<PrunerOptions>('pruner'),
    /** With a trial's number it gives the sampler's random numbers. */
    seed: bigint('seed', { mode: 'number' }).notNull(),
    /** Trials that are given out at most; null: no limit. */
    maxTrials: integer('max_trials'),
    /** No trial is given out after this time; null: no limit. */
    deadlineAt: timeColumn('deadline_at'),
    /** Attempts that a trial whose worker was lost or that failed has, the first among them. */
    maxAttempts: integer('max_attempts').notNull().default(1),
    /** How long a trial's worker may be silent. */
    leaseMs: integer('lease_ms').notNull(),
    nextTrialNumber: integer('next_trial_number').notNull().default(0),
    /** When the dispatcher is to look for lost workers; null: nobody was asked to. Changed under the row's lock. */
    nextSweepAt: timeColumn('next_sweep_at'),
    /** The number of the last lifecycle change; the order of hyperparameter_study_events. */
    lastChangeNumber: bigint('last_change_number', { mode: 'number' }).notNull().default(0),
    metadata: jsonColumn<Readonly<Record<string, unknown>>>('metadata').notNull().default({}),
    actor: actorColumn(),
    deletedAt: timeColumn('deleted_at'),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('name', t.name),
    constraint.check('name', sql`length(${t.name}) between 1 and ${sql.raw(String(TRAINING_LIMITS.nameLength))}`),
    constraint.oneOf('status', t.status, studyStatuses),
    constraint.check('max_trials', sql`${t.maxTrials} >= 1`),
    constraint.check('max_attempts', sql`${t.maxAttempts} >= 1`),
    // listStudies: the newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // The purge: what was deleted before a time.
    constraint.index('deleted', [t.deletedAt, t.id], sql`${t.deletedAt} is not null`),
  ],
);

export const studyEventKinds = ['created', 'stopped', 'resumed', 'deleted', 'restored', 'purged'] as const;
export type StudyEventKind = (typeof studyEventKinds)[number];

/** The lifecycle of each study. Plain values: the rows outlive what they name. */
export const hyperparameterStudyEvents = tenantTable(
  'hyperparameter_study_events',
  {
    studyId: uuid('study_id').notNull(),
    changeNumber: bigint('change_number', { mode: 'number' }).notNull(),
    kind: stateColumn('kind', studyEventKinds).notNull(),
    name: text('name').notNull(),
    reason: text('reason'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // The history of a study, by pages.
    constraint.primaryKey(t.studyId, t.changeNumber),
    constraint.oneOf('kind', t.kind, studyEventKinds),
  ],
  { appendOnly: true },
);

export const hyperparameterTrials = tenantTable(
  'hyperparameter_trials',
  {
    id: idColumn<'Trial'>(),
    studyId: referenceColumn<'Study'>('study_id').notNull(),
    /** 0, 1, 2, … within the study, without a gap. */
    number: integer('number').notNull(),
    status: stateColumn('status', trialStatuses).notNull(),
    /** Null for as long as the sampler thinks. */
    params: jsonColumn<TrialParams>('params'),
    /** Given by enqueueTrials: what the sampler must leave as it is. */
    fixedParams: jsonColumn<TrialParams>('fixed_params'),
    /** One an objective, in their order; null before the trial is complete. */
    values: doublePrecision('values').array(),
    /** How often it was begun. A worker that was lost before its parameters were stored does not count. */
    attempt: integer('attempt').notNull().default(0),
    leasedUntil: timeColumn('leased_until'),
    /** Grows with each claim and sweep. */
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    /** The run that trained it. */
    runId: referenceColumn<'Run'>('run_id'),
    /** What its last failed attempt ended with. */
    error: text('error'),
    metadata: jsonColumn<Readonly<Record<string, unknown>>>('metadata').notNull().default({}),
    actor: actorColumn(),
    startedAt: timeColumn('started_at'),
    endedAt: timeColumn('ended_at'),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('number', t.studyId, t.number),
    constraint.oneOf('status', t.status, trialStatuses),
    constraint.foreignKey('study', [t.studyId], [hyperparameterStudies.id], { onDelete: 'cascade' }),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id]),
    // askTrial: the trials that wait, in the order of their numbers.
    constraint.index('waiting', [t.studyId, t.number], sql`${t.status} = 'waiting'`),
    // The samplers: the last trials that ended with values.
    constraint.index('ended', [t.studyId, t.status, t.number]),
    // findBestTrial, and TPE's best trials: the least or greatest value, of the lowest number.
    constraint.index('best', [t.studyId, sql`(${t.values}[1])`, t.number], sql`${t.status} = 'complete'`),
    // askTrial and the sweep: trials of a study whose lease has run out, and the next that will.
    constraint.index('lease', [t.studyId, t.leasedUntil], sql`${t.leasedUntil} is not null`),
    // The trial of a run, and the check when the run is purged.
    constraint.index('run', [t.runId], sql`${t.runId} is not null`),
  ],
);

/** What a trial reported while it ran: what pruners decide by. */
export const hyperparameterTrialValues = tenantTable(
  'hyperparameter_trial_values',
  {
    studyId: referenceColumn<'Study'>('study_id').notNull(),
    trialId: referenceColumn<'Trial'>('trial_id').notNull(),
    attempt: integer('attempt').notNull(),
    step: bigint('step', { mode: 'number' }).notNull(),
    value: doublePrecision('value').notNull(),
    /** Whether the pruner said to stop here. */
    shouldPrune: boolean('should_prune').notNull().default(false),
    at: createdAtColumn('at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.trialId, t.attempt, t.step),
    constraint.foreignKey('trial', [t.trialId], [hyperparameterTrials.id], { onDelete: 'cascade' }),
    // The pruners: what the trials of a study reported at one step.
    constraint.index('step', [t.studyId, t.step, t.trialId, t.attempt, t.value]),
  ],
);

/** What a trial reported when it came to a rung of successive halving; of its last attempt. */
export const hyperparameterTrialRungs = tenantTable(
  'hyperparameter_trial_rungs',
  {
    studyId: referenceColumn<'Study'>('study_id').notNull(),
    trialId: referenceColumn<'Trial'>('trial_id').notNull(),
    rung: integer('rung').notNull(),
    attempt: integer('attempt').notNull(),
    value: doublePrecision('value').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.trialId, t.rung),
    constraint.foreignKey('trial', [t.trialId], [hyperparameterTrials.id], { onDelete: 'cascade' }),
    // The pruner: what the trials of a study compete with at one rung.
    constraint.index('rung', [t.studyId, t.rung, t.value, t.trialId]),
  ],
);
