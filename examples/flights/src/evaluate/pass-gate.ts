import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  approveVersion,
  type GateDecision,
  listGateDecisions,
  promoteThroughGate,
  replayDecision,
  setGate,
} from '@mcp-hub/evaluation';
import { actor } from '../actor.ts';
import { modelName } from '../late-arrival-models.ts';
import { promotionPolicy } from './promotion-policy.ts';

const gate = { name: modelName, stage: 'production', gate: 'quality' } as const;
const approvers = ['operations', 'data-science'];

/** What the gate said of a version that asked to enter production. */
export interface GatedVersion {
  readonly version: string;
  readonly decision: GateDecision;
  /** Whether this run of the example asked. */
  readonly isNew: boolean;
  /** Whether the decision comes out the same, made again from what was kept of it. */
  readonly replaysTheSame: boolean;
}

/** Puts the gate before production; where it stands with this policy already nothing is written. */
export async function ensureGate(db: Database, tenant: string, digest: string): Promise<void> {
  await withTenant(db, tenant, (tx) => setGate(tx, { ...gate, policy: promotionPolicy(digest) }), { actor });
}

/**
 * Has a version approved and asks the gate, which judges and, where it passes the version, promotes it in the same
 * transaction. A version that it has judged is not asked about again.
 */
export async function passGate(db: Database, tenant: string, version: string): Promise<GatedVersion> {
  const kept = await readOne(db, tenant, (tx) => findDecision(tx, version));
  const decision = kept ?? (await askGate(db, tenant, version));
  return { version, decision, isNew: kept === undefined, replaysTheSame: replayDecision(decision).isSame };
}

async function findDecision(tx: TenantTx, version: string): Promise<GateDecision | undefined> {
  const filter = `model = '${modelName}' AND version = '${version}' AND gate = '${gate.gate}'`;
  return (await listGateDecisions(tx, { filter, limit: 1 })).items[0];
}

async function askGate(db: Database, tenant: string, version: string): Promise<GateDecision> {
  for (const approver of approvers) {
    const approval = { name: modelName, stage: gate.stage, version };
    await withTenant(db, tenant, (tx) => approveVersion(tx, approval), { actor: approver });
  }
  const asked = { name: modelName, stage: gate.stage, version, reason: 'passed by the gate' };
  const { decisions } = await withTenant(db, tenant, (tx) => promoteThroughGate(tx, asked), { actor });
  const [decision] = decisions;
  if (decision === undefined) throw new Error('The version is in production without a decision of the gate.');
  return decision;
}
