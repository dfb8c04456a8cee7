import {
  booleanField,
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { modelStages } from '@mcp-hub/registry';
import { and, eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { decisionNotFound } from '../not-found.ts';
import type { GateInputs } from './gate-inputs.ts';
import type { GatePolicy } from './gate-policy.ts';
import { type ClauseResult, type GateVerdict, judgeGate } from './judge-gate.ts';
import { gateDecisions } from './schema.ts';

/** A row of gate_decisions: the policy as it was, all inputs, the verdict on each clause, the clearance of one that passed. */
export type GateDecision = Readonly<typeof gateDecisions.$inferSelect>;

export const GetGateDecisionInput = z.strictObject({ decisionId: z.uuid() });
export type GetGateDecisionInput = Readonly<z.input<typeof GetGateDecisionInput>>;

/** A decision by its id. One statement, no lock. @throws DomainError `not_found`. */
export async function getGateDecision(tx: TenantTx, input: GetGateDecisionInput): Promise<GateDecision> {
  const { decisionId } = parseInput(GetGateDecisionInput, input);
  const [row] = await tx
    .select()
    .from(gateDecisions)
    .where(and(eq(gateDecisions.tenantId, tenantOf(tx)), eq(gateDecisions.id, decisionId as Id<'GateDecision'>)));
  if (row === undefined) throw decisionNotFound();
  return row;
}

/** What decisions can be searched by. */
export const gateDecisionFields = defineFilterFields({
  id: uuidField(gateDecisions.id),
  modelName: textField(gateDecisions.modelName, { aliases: ['name', 'model'] }),
  version: textField(gateDecisions.version),
  versionId: uuidField(gateDecisions.versionId),
  gate: textField(gateDecisions.policyName),
  stage: enumField(gateDecisions.stage, modelStages),
  passed: booleanField(gateDecisions.passed),
  occurredAt: timeField(gateDecisions.occurredAt),
});

const decisionList = defineList({
  name: 'evaluation.gateDecisions',
  from: gateDecisions,
  columns: getTableColumns(gateDecisions),
  order: defineOrder({
    fields: gateDecisionFields,
    byDefault: [{ field: 'id', direction: 'desc' }],
    tieBreaker: gateDecisionFields.fields.id,
  }),
});

export const ListGateDecisionsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `model_name = 'churn' AND passed = false`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof gateDecisionFields>>().optional(),
});
export type ListGateDecisionsInput = Readonly<z.input<typeof ListGateDecisionsInput>>;

/** Decisions, the last first, by pages. One statement, no lock. @throws DomainError `invalid_input` for filter and cursor. */
export async function listGateDecisions(tx: TenantTx, input: ListGateDecisionsInput = {}): Promise<Page<GateDecision>> {
  return await readPage(tx, decisionList, parseInput(ListGateDecisionsInput, input));
}

export interface ReplayedDecision extends GateVerdict {
  /** Whether the verdict, clause by clause, is the one that was kept. */
  readonly isSame: boolean;
}

/** Makes a decision again from what was kept of it. Pure: it reads nothing of what is so now. */
export function replayDecision(decision: {
  readonly policy: GatePolicy;
  readonly inputs: GateInputs;
  readonly passed: boolean;
  readonly results: readonly ClauseResult[];
}): ReplayedDecision {
  const verdict = judgeGate(decision.policy, decision.inputs);
  const isSame =
    verdict.passed === decision.passed &&
    verdict.results.length === decision.results.length &&
    verdict.results.every(
      ({ passed, because }, at) => decision.results[at]?.passed === passed && decision.results[at]?.because === because,
    );
  return { ...verdict, isSame };
}
