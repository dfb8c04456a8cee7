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
import type { GateInputs } from './gate-inputs.ts';
import type { GatePolicy } from './gate-policy.ts';
import type { ClauseResult } from './judge-gate.ts';

/** A policy that stands as a guard on one stage of a model. */
export const gatePolicies = tenantTable(
  'gate_policies',
  {
    id: idColumn<'GatePolicy'>(),
    /** Goes with the model through renames; the model is not referred to, so that a gate survives its deletion. */
    modelId: uuid('model_id').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    name: text('name').notNull(),
    /** One more with each change. */
    revision: integer('revision').notNull().default(1),
    policy: jsonColumn<GatePolicy>('policy').notNull(),
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

/** What befell gates: set, with the policy that it had from then on, or removed. Plain values: it outlives what it names. */
export const gateChanges = tenantTable(
  'gate_changes',
  {
    id: idColumn<'GateChange'>(),
    policyId: uuid('policy_id').notNull(),
    modelId: uuid('model_id').notNull(),
    modelName: text('model_name').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    name: text('name').notNull(),
    revision: integer('revision').notNull(),
    /** Null where it was removed. */
    policy: jsonColumn<GatePolicy>('policy'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('stage', t.stage, modelStages),
    // The history of a model's gates.
    constraint.index('model', [t.modelId, t.id]),
  ],
  { appendOnly: true },
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
    constraint.index('version', [t.versionId, t.stage, t.actor, t.createdAt, t.id]),
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
    policy: jsonColumn<GatePolicy>('policy').notNull(),
    /** Every number that a clause read: metrics, comparisons, slices, approvals, with the ids they came from. */
    inputs: jsonColumn<GateInputs>('inputs').notNull(),
    /** One verdict a clause, with its numbers. */
    results: jsonColumn<readonly ClauseResult[]>('results').notNull(),
    /** The registry's clearance that a promotion's gate issued; null where it refused, or was only asked. */
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
