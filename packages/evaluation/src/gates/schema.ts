import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelStages } from '@mcp-hub/registry/schema';
import { boolean, integer, text, uuid } from 'drizzle-orm/pg-core';

/** A policy that stands as a guard on one stage of a model. Its clauses are read by GatePolicy. */
export const gatePolicies = tenantTable(
  'gate_policies',
  {
    id: idColumn<'GatePolicy'>(),
    /** The model's name when it was set; a rename is followed by modelId. */
    modelId: uuid('model_id').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    name: text('name').notNull(),
    /** One more with each change. */
    revision: integer('revision').notNull().default(1),
    clauses: jsonColumn<unknown>('clauses').notNull(),
    description: text('description'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('name', t.modelId, t.stage, t.name),
    constraint.oneOf('stage', t.stage, modelStages),
  ],
);

/** Who approved that a version enters a stage; each actor counts once. Plain values: it outlives what it names. */
export const gateApprovals = tenantTable(
  'gate_approvals',
  {
    id: idColumn<'GateApproval'>(),
    versionId: uuid('version_id').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    /** False takes back an approval of the same actor. */
    approved: boolean('approved').notNull().default(true),
    comment: text('comment'),
    actor: actorColumn().notNull(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('stage', t.stage, modelStages),
    // The last word of each actor on a version and stage.
    constraint.index('version', [t.versionId, t.stage, t.actor, t.id]),
  ],
  { appendOnly: true },
);

/** Each decision with all that it was made from, so that it can be made again. Plain values. */
export const gateDecisions = tenantTable(
  'gate_decisions',
  {
    id: idColumn<'GateDecision'>(),
    policyId: uuid('policy_id').notNull(),
    policyName: text('policy_name').notNull(),
    revision: integer('revision').notNull(),
    versionId: uuid('version_id').notNull(),
    modelName: text('model_name').notNull(),
    version: text('version').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    passed: boolean('passed').notNull(),
    clauses: jsonColumn<unknown>('clauses').notNull(),
    /** Every number that a clause read: metrics, comparisons, slices, approvals, with the ids they came from. */
    inputs: jsonColumn<unknown>('inputs').notNull(),
    /** One verdict a clause, with its numbers. */
    results: jsonColumn<unknown>('results').notNull(),
    /** The registry's clearance that a passed gate issued. */
    clearanceId: referenceColumn<'StageClearance'>('clearance_id'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('stage', t.stage, modelStages),
    // The decisions on a version, newest first.
    constraint.index('version', [t.versionId, t.id]),
  ],
  { appendOnly: true },
);
