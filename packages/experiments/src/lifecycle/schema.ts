import { actorColumn, createdAtColumn, jsonColumn, referenceColumn, stateColumn, tenantTable } from '@mcp-hub/db-core';
import { integer, text } from 'drizzle-orm/pg-core';

/** What may befall an experiment. Each is announced as `experiment.<kind>`. */
export const experimentEventKinds = [
  ...(['created', 'updated', 'started', 'paused', 'resumed', 'stopped', 'archived'] as const),
  ...(['reallocated', 'reseeded', 'deleted'] as const),
  ...(['assignment_forced', 'assignment_unforced'] as const),
] as const;
export type ExperimentEventKind = (typeof experimentEventKinds)[number];

/** What befell experiments. Plain values: it outlives what it names. */
export const abExperimentEvents = tenantTable(
  'ab_experiment_events',
  {
    experimentId: referenceColumn<'Experiment'>('experiment_id').notNull(),
    /** Counts the changes of one experiment, from 1. */
    changeNumber: integer('change_number').notNull(),
    kind: stateColumn('kind', experimentEventKinds).notNull(),
    experimentKey: text('experiment_key').notNull(),
    fromStatus: text('from_status'),
    /** Null of an experiment that was deleted. */
    toStatus: text('to_status'),
    reason: text('reason'),
    /** Ids, keys and numbers of what changed. */
    detail: jsonColumn<Readonly<Record<string, unknown>>>('detail').notNull().default({}),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.experimentId, t.changeNumber),
    constraint.oneOf('kind', t.kind, experimentEventKinds),
  ],
  { appendOnly: true },
);
