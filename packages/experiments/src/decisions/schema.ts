import { actorColumn, createdAtColumn, idColumn, jsonColumn, stateColumn, tenantTable } from '@mcp-hub/db-core';
import { boolean, integer, text, uuid } from 'drizzle-orm/pg-core';
import { type DecisionReason, decisionVerdicts, type TreatmentDecision } from './decision.ts';

/** Each decision on an experiment with its reasons. Plain values: it outlives what it names. */
export const abDecisions = tenantTable(
  'ab_decisions',
  {
    id: idColumn<'ExperimentDecision'>(),
    experimentId: uuid('experiment_id').notNull(),
    experimentKey: text('experiment_key').notNull(),
    /** What it was decided by. */
    snapshotId: uuid('snapshot_id').notNull(),
    snapshotNumber: integer('snapshot_number').notNull(),
    /** How often the experiment had been looked at by then. */
    looks: integer('looks').notNull(),
    /** Whether no more units were to come. */
    isOver: boolean('is_over').notNull(),
    /** Of the rules: DECISION_VERSION. */
    codeVersion: integer('code_version').notNull(),
    verdict: stateColumn('verdict', decisionVerdicts).notNull(),
    /** What is shipped, or does harm. */
    variantId: uuid('variant_id'),
    variantKey: text('variant_key'),
    reasons: jsonColumn<readonly DecisionReason[]>('reasons').notNull(),
    treatments: jsonColumn<readonly TreatmentDecision[]>('treatments').notNull(),
    note: text('note'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('verdict', t.verdict, decisionVerdicts),
    // The decisions on an experiment, the last first.
    constraint.index('experiment', [t.experimentId, t.id]),
  ],
  { appendOnly: true },
);
