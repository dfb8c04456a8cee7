import { DomainError, newId, parseInput, recordEvents, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import {
  issueStageClearance,
  type ModelStage,
  revokeStageClearances,
  type StageChange,
  transitionStage,
} from '@mcp-hub/registry';
import { modelRegistry, registeredModels } from '@mcp-hub/registry/schema';
import { and, eq, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, stageName, versionName } from '../inputs.ts';
import { gateNotFound, stageWithoutGate, versionNotFound } from '../not-found.ts';
import type { GateDecision } from './decisions.ts';
import { readGateInputs } from './gate-inputs.ts';
import { GatePolicy } from './gate-policy.ts';
import { judgeGate } from './judge-gate.ts';
import { gateDecisions } from './schema.ts';
import { gateName, guardOf, listGates } from './set-gate.ts';

const subject = { name: modelName, version: versionName, stage: stageName };

export const DecideGateInput = z.strictObject({
  ...subject,
  /** This gate alone. Default: all that stand on the stage. */
  gate: gateName.optional(),
});
export type DecideGateInput = Readonly<z.input<typeof DecideGateInput>>;

/** What the gates of a stage said; passed where every one did. */
export interface GateOutcome {
  readonly passed: boolean;
  /** One a gate, by its name, each with its verdicts clause by clause and the numbers that they were made by. */
  readonly decisions: readonly GateDecision[];
}

/**
 * Judges whether a version may enter a stage now, and keeps each decision with all that it was made from; the caller
 * commits, also a refusal, which is no error. It moves nothing and clears nothing: what it read may have changed when the
 * version moves, so that promoteThroughGate judges anew. Clearances of these gates that nobody has used are taken back.
 *
 * Under the lock of the model, so that the version in production is the one that it was compared with; four round trips.
 * Announces `gate.decided` for each gate.
 *
 * @throws DomainError `not_found` without the version, or without a gate on the stage; `failed_precondition` where a policy
 *   that was written by hand is none.
 */
export async function decideGate(tx: TenantTx, input: DecideGateInput): Promise<GateOutcome> {
  const given = parseInput(DecideGateInput, input);
  const found = await readSubject(tx, given);
  return await keepDecisions(tx, given, found, await judgeGates(tx, given, found), []);
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
 * Decides as decideGate and, where every gate passes, issues their clearances and moves the version as transitionStage, in
 * this transaction. A refusal is returned, not thrown, so that its decision is kept. A version that is in the stage already
 * stays without a decision.
 *
 * Under the lock of the model; eleven round trips. @throws DomainError as decideGate and transitionStage: what throws after
 *   the gates have passed, such as a guard that is no gate, leaves no decision unless the caller commits all the same.
 */
export async function promoteThroughGate(tx: TenantTx, input: PromoteThroughGateInput): Promise<GatedPromotion> {
  const given = parseInput(PromoteThroughGateInput, input);
  const found = await readSubject(tx, given);
  if (found.version.stage === given.stage) {
    return { passed: true, decisions: [], change: await transitionStage(tx, given) };
  }
  const judged = await judgeGates(tx, given, found);
  const clearances = judged.every(({ passed }) => passed) ? await clear(tx, given, judged) : [];
  const outcome = await keepDecisions(tx, given, found, judged, clearances);
  return { ...outcome, change: outcome.passed ? await transitionStage(tx, given) : undefined };
}

type Subject = Awaited<ReturnType<typeof readSubject>>;
type Named = z.output<typeof DecideGateInput>;
type Judged = Awaited<ReturnType<typeof judgeGates>>;

/** Also takes back what these gates have issued before: it was judged by what was so then. */
async function judgeGates(tx: TenantTx, { name, version, stage, gate }: Named, found: Subject) {
  const gates = found.gates.filter((row) => gate === undefined || row.name === gate);
  if (gates.length === 0) throw gate === undefined ? stageWithoutGate() : gateNotFound();
  return await Promise.all(
    gates.map(async (row) => {
      const policy = checkedPolicy(row.policy);
      const [inputs] = await Promise.all([
        readGateInputs(tx, { modelName: name, versionId: found.version.id, stage }, policy),
        revokeStageClearances(tx, { name, version, stage, guard: guardOf(row.name) }),
      ]);
      return { row, policy, inputs, id: newId<'GateDecision'>(), ...judgeGate(policy, inputs) };
    }),
  );
}

/** A policy that was written by hand may be anything: one without clauses would pass, and a bound of null is 0 to JavaScript. */
function checkedPolicy(stored: unknown): GatePolicy {
  const { success, data } = GatePolicy.safeParse(stored);
  if (success) return data;
  throw new DomainError('failed_precondition', "A gate's policy was written by hand and is none. Set it by setGate.");
}

/** Clearances that live as long as this transaction, in which the clock stands still. */
async function clear(tx: TenantTx, { name, version, stage }: Named, judged: Judged) {
  return await Promise.all(
    judged.map(({ id, row, inputs }) =>
      issueStageClearance(tx, {
        ...{ name, version, stage, guard: guardOf(row.name) },
        evidence: { decisionId: id, gate: row.name, revision: row.revision },
        expiresAt: new Date(Date.parse(inputs.decidedAt) + 1),
      }),
    ),
  );
}

async function keepDecisions(
  tx: TenantTx,
  { name, version, stage }: Named,
  found: Subject,
  judged: Judged,
  clearances: Awaited<ReturnType<typeof clear>>,
): Promise<GateOutcome> {
  const [decisions] = await Promise.all([
    tx
      .insert(gateDecisions)
      .values(
        judged.map(({ id, row, policy, inputs, results, passed }, at) => ({
          ...{ id, policyId: row.id, policyName: row.name, revision: row.revision, policy },
          ...{ versionId: found.version.id, modelName: name, version, stage, passed, inputs, results },
          clearanceId: clearances[at] ?? null,
        })),
      )
      .returning(),
    recordEvents(
      tx,
      judged.map(({ id, row, passed }) => ({
        topic: 'gate.decided',
        subjectId: id,
        payload: { name, version, stage, gate: row.name, revision: row.revision, passed },
      })),
    ),
  ]);
  return { passed: judged.every(({ passed }) => passed), decisions };
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
  // A builder is sent when it is awaited, so that listGates would leave before a lock that stands in front of it here.
  const lock = async () =>
    await tx.select({ id: registeredModels.id }).from(registeredModels).where(ofModel).for('no key update');
  const [, [found], gates] = await Promise.all([
    lock(),
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
