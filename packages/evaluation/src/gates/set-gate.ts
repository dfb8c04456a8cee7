import {
  type Id,
  nameInput,
  newId,
  parseInput,
  recordEvent,
  type TenantTx,
  tenantOf,
  textInput,
  toId,
} from '@mcp-hub/db-core';
import { removeStageGuard, setStageGuard } from '@mcp-hub/registry';
import { registeredModels } from '@mcp-hub/registry/schema';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, stageName } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { gateNotFound } from '../not-found.ts';
import { GatePolicy } from './gate-policy.ts';
import { gateChanges, gatePolicies } from './schema.ts';

/** A row of gate_policies. */
export type Gate = Readonly<typeof gatePolicies.$inferSelect>;

export const gateName = nameInput(EVALUATION_LIMITS.gateLength);

/** The guard that stands for a gate in the registry. */
export const guardOf = (gate: string): string => `gate:${gate}`;

export const SetGateInput = z.strictObject({
  /** The model. */
  name: modelName,
  stage: stageName,
  gate: gateName,
  policy: GatePolicy,
  description: textInput(EVALUATION_LIMITS.commentLength).nullish(),
});
export type SetGateInput = Readonly<z.input<typeof SetGateInput>>;

/**
 * Puts a gate on a stage of a model, or changes its policy: from now on a version enters the stage only when the gate has
 * passed it. Where it stands with this policy already, nothing is written.
 *
 * Under the lock of the model; five round trips. Sets the registry's guard `gate:<name>`; announces `gate.set`, with its row
 * in the history. @throws DomainError `not_found` without the model.
 */
export async function setGate(tx: TenantTx, input: SetGateInput): Promise<Gate> {
  const { name, stage, gate, policy, description = null } = parseInput(SetGateInput, input);
  await setStageGuard(tx, { name, stage, guard: guardOf(gate), description });
  const { modelId, found } = await readGate(tx, { name, stage, gate });
  const isSame = found !== undefined && found.description === description && isEqualJson(found.policy, policy);
  if (isSame) return found;
  const revision = (found?.revision ?? 0) + 1;
  const id = found?.id ?? newId<'GatePolicy'>();
  const written = tx
    .insert(gatePolicies)
    .values({ id, modelId, stage, name: gate, revision, policy, description })
    .onConflictDoUpdate({
      target: [gatePolicies.tenantId, gatePolicies.modelId, gatePolicies.stage, gatePolicies.name],
      set: { revision, policy, description, actor: sql`excluded.actor`, updatedAt: sql`app_now()` },
    })
    .returning();
  const facts = { policyId: id, modelId, modelName: name, stage, name: gate, revision };
  const [[row]] = await Promise.all([
    written,
    tx.insert(gateChanges).values({ ...facts, policy }),
    recordEvent(tx, { topic: 'gate.set', subjectId: id, payload: { name, stage, gate, revision } }),
  ]);
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return row;
}

export const RemoveGateInput = z.strictObject({ name: modelName, stage: stageName, gate: gateName });
export type RemoveGateInput = Readonly<z.input<typeof RemoveGateInput>>;

/**
 * Takes a gate away, and its guard. Its decisions stay. Under the lock of the model; five round trips. Announces
 * `gate.removed`, with its row in the history. @throws DomainError `not_found` without the model or the gate.
 */
export async function removeGate(tx: TenantTx, input: RemoveGateInput): Promise<void> {
  const { name, stage, gate } = parseInput(RemoveGateInput, input);
  await removeStageGuard(tx, { name, stage, guard: guardOf(gate) });
  const { modelId, found } = await readGate(tx, { name, stage, gate });
  if (found === undefined) throw gateNotFound();
  const revision = found.revision + 1;
  const facts = { policyId: found.id, modelId, modelName: name, stage, name: gate, revision };
  await Promise.all([
    tx.delete(gatePolicies).where(and(eq(gatePolicies.tenantId, tenantOf(tx)), eq(gatePolicies.id, found.id))),
    tx.insert(gateChanges).values({ ...facts, policy: null }),
    recordEvent(tx, { topic: 'gate.removed', subjectId: found.id, payload: { name, stage, gate, revision } }),
  ]);
}

export const ListGatesInput = z.strictObject({ name: modelName, stage: stageName.optional() });
export type ListGatesInput = Readonly<z.input<typeof ListGatesInput>>;

/** The gates of a model, by stage and name. One statement, no lock. Empty where there is no such model. */
export async function listGates(tx: TenantTx, input: ListGatesInput): Promise<readonly Gate[]> {
  const { name, stage } = parseInput(ListGatesInput, input);
  return await tx
    .select()
    .from(gatePolicies)
    .where(
      and(
        eq(gatePolicies.tenantId, tenantOf(tx)),
        sql`${gatePolicies.modelId} = (
          select m.id from ${registeredModels} m
           where m.tenant_id = ${tenantOf(tx)} and m.name = ${name} and m.deleted_at is null)`,
        stage === undefined ? undefined : eq(gatePolicies.stage, stage),
      ),
    )
    .orderBy(gatePolicies.stage, gatePolicies.name);
}

async function readGate(
  tx: TenantTx,
  { name, stage, gate }: Pick<SetGateInput, 'name' | 'stage' | 'gate'>,
): Promise<{ readonly modelId: Id<'Model'>; readonly found: Gate | undefined }> {
  const [row] = await tx
    .select({ modelId: registeredModels.id, gate: gatePolicies })
    .from(registeredModels)
    .leftJoin(
      gatePolicies,
      and(
        eq(gatePolicies.tenantId, registeredModels.tenantId),
        eq(gatePolicies.modelId, registeredModels.id),
        eq(gatePolicies.stage, stage),
        eq(gatePolicies.name, gate),
      ),
    )
    .where(
      and(
        eq(registeredModels.tenantId, tenantOf(tx)),
        eq(registeredModels.name, name),
        isNull(registeredModels.deletedAt),
      ),
    );
  // The lock that was taken for the guard found the model.
  if (row === undefined) throw gateNotFound();
  return { modelId: toId(row.modelId, 'modelId'), found: row.gate ?? undefined };
}

/** jsonb keeps no order of members. */
function isEqualJson(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
