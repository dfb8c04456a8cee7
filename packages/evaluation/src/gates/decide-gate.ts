import { newId, parseInput, recordEvents, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { issueStageClearance, type ModelStage, type StageChange, transitionStage } from '@mcp-hub/registry';
import { modelRegistry, registeredModels } from '@mcp-hub/registry/schema';
import { and, eq, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, stageName, versionName } from '../inputs.ts';
import { gateNotFound, versionNotFound } from '../not-found.ts';
import type { GateDecision } from './decisions.ts';
import { readGateInputs } from './gate-inputs.ts';
import { judgeGate } from './judge-gate.ts';
import { gateDecisions } from './schema.ts';
import { gateName, guardOf, listGates } from './set-gate.ts';

const subject = { name: modelName, version: versionName, stage: stageName };

export const DecideGateInput = z.strictObject({
  ...subject,
  /** This gate alone. Default: all that stand on the stage. */
  gate: gateName.optional(),
  /** How long what passed may wait for its transition. Default 1. */
  clearanceHours: z.number().gt(0).max(720).optional(),
});
export type DecideGateInput = Readonly<z.input<typeof DecideGateInput>>;

/** What the gates of a stage said; passed where every one did. */
export interface GateOutcome {
  readonly passed: boolean;
  /** One a gate, by its name, each with its verdicts clause by clause and the numbers that they were made by. */
  readonly decisions: readonly GateDecision[];
}

/**
 * Judges whether a version may enter a stage, and keeps each decision with all that it was made from. Where every gate
 * passes, each issues its clearance in this transaction; the caller commits, also a refusal, which is no error.
 *
 * Under the lock of the model, so that the version in production is the one that it was compared with; five round trips.
 * Announces `gate.decided` for each gate.
 *
 * @throws DomainError `not_found` without the version, or without a gate on the stage.
 */
export async function decideGate(tx: TenantTx, input: DecideGateInput): Promise<GateOutcome> {
  const given = parseInput(DecideGateInput, input);
  return await decide(tx, given, await readSubject(tx, given));
}

export const PromoteThroughGateInput = z.strictObject({
  ...subject,
  reason: z.string().optional(),
  /** The stage that the version must be in before the change. */
  expectedStage: stageName.optional(),
  /** As transitionStage has it. */
  archiveOthers: z.boolean().optional(),
});
export type PromoteThroughGateInput = Readonly<z.input<typeof PromoteThroughGateInput>>;

export interface GatedPromotion extends GateOutcome {
  /** Undefined where a gate refused, and nothing moved. */
  readonly change: StageChange | undefined;
}

/**
 * Decides as decideGate and, where every gate passes, moves the version as transitionStage, in this transaction. A refusal
 * is returned, not thrown, so that its decision is kept. A version that is in the stage already stays without a decision.
 *
 * Under the lock of the model; ten round trips. @throws DomainError as decideGate and transitionStage.
 */
export async function promoteThroughGate(tx: TenantTx, input: PromoteThroughGateInput): Promise<GatedPromotion> {
  const given = parseInput(PromoteThroughGateInput, input);
  const found = await readSubject(tx, given);
  const isThere = found.version.stage === given.stage;
  const outcome = isThere ? { passed: true, decisions: [] } : await decide(tx, given, found);
  return { ...outcome, change: outcome.passed ? await transitionStage(tx, given) : undefined };
}

type Subject = Awaited<ReturnType<typeof readSubject>>;

async function decide(
  tx: TenantTx,
  { name, version, stage, gate, clearanceHours = 1 }: z.output<typeof DecideGateInput>,
  found: Subject,
): Promise<GateOutcome> {
  const gates = found.gates.filter((row) => gate === undefined || row.name === gate);
  if (gates.length === 0) throw gateNotFound();
  const judged = await Promise.all(
    gates.map(async (row) => {
      const inputs = await readGateInputs(tx, { modelName: name, versionId: found.version.id, stage }, row.policy);
      return { row, inputs, id: newId<'GateDecision'>(), ...judgeGate(row.policy, inputs) };
    }),
  );
  const passed = judged.every((verdict) => verdict.passed);
  const clearances = passed
    ? await Promise.all(
        judged.map(({ id, row, inputs }) =>
          issueStageClearance(tx, {
            ...{ name, version, stage, guard: guardOf(row.name) },
            evidence: { decisionId: id, gate: row.name, revision: row.revision },
            expiresAt: new Date(Date.parse(inputs.decidedAt) + clearanceHours * 3_600_000),
          }),
        ),
      )
    : [];
  const [decisions] = await Promise.all([
    tx
      .insert(gateDecisions)
      .values(
        judged.map(({ id, row, inputs, results, passed: isPassed }, at) => ({
          ...{ id, policyId: row.id, policyName: row.name, revision: row.revision, policy: row.policy },
          ...{ versionId: found.version.id, modelName: name, version, stage, passed: isPassed, inputs, results },
          clearanceId: clearances[at] ?? null,
        })),
      )
      .returning(),
    recordEvents(
      tx,
      judged.map(({ id, row, passed: isPassed }) => ({
        topic: 'gate.decided',
        subjectId: id,
        payload: { name, version, stage, gate: row.name, revision: row.revision, passed: isPassed },
      })),
    ),
  ]);
  return { passed, decisions };
}

/** Locks the model; the version and the gates are then read as they are once the lock is held. */
async function readSubject(
  tx: TenantTx,
  { name, version, stage }: { readonly name: string; readonly version: string; readonly stage: ModelStage },
) {
  const tenant = tenantOf(tx);
  const ofModel = and(
    eq(registeredModels.tenantId, tenant),
    eq(registeredModels.name, name),
    isNull(registeredModels.deletedAt),
  );
  const [, [found], gates] = await Promise.all([
    tx.select({ id: registeredModels.id }).from(registeredModels).where(ofModel).for('no key update'),
    tx
      .select({ id: modelRegistry.id, stage: modelRegistry.stage })
      .from(modelRegistry)
      .where(
        and(
          eq(modelRegistry.tenantId, tenant),
          eq(modelRegistry.name, name),
          eq(modelRegistry.version, version),
          isNull(modelRegistry.deletedAt),
        ),
      ),
    listGates(tx, { name, stage }),
  ]);
  if (found === undefined) throw versionNotFound();
  return { version: found, gates };
}
