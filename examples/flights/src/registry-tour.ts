import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { listStageTransitions, resolveModel, rollbackPromotion, transitionStage } from '@mcp-hub/registry';
import { actor } from './actor.ts';
import { modelName } from './late-arrival-models.ts';

/** Versions that were in production by hand: the one whose promotion was taken back, and the one that came back for it. */
export interface TourReport {
  readonly takenBack: string;
  readonly afterRollback: string;
}

/**
 * One tenant's way through the registry before there is a gate: promote the first version and then the second, find that
 * out by resolving, and take the second promotion back. Where that has been done, nothing is.
 */
export async function tourRegistry(db: Database, tenant: string): Promise<TourReport> {
  const done = await readOne(db, tenant, readRollback);
  if (done !== undefined) return done;
  await promote(db, tenant, '1', 'the first version that beats a coin');
  await promote(db, tenant, '2', 'looks better by its AUC');
  const takenBack = await inProduction(db, tenant);
  const reason = 'nobody has compared them on the same flights';
  await withTenant(db, tenant, (tx) => rollbackPromotion(tx, { name: modelName, expectedVersion: '2', reason }), {
    actor,
  });
  return { takenBack, afterRollback: await inProduction(db, tenant) };
}

/** The rollback as the history of stages has it. */
async function readRollback(tx: TenantTx): Promise<TourReport | undefined> {
  const { items } = await listStageTransitions(tx, { name: modelName });
  const undone = items.filter(({ undoesChangeNumber }) => undoesChangeNumber !== null);
  const left = undone.find(({ fromStage }) => fromStage === 'production');
  const returned = undone.find(({ toStage }) => toStage === 'production');
  return left && returned && { takenBack: left.version, afterRollback: returned.version };
}

const promote = (db: Database, tenant: string, version: string, reason: string) =>
  withTenant(db, tenant, (tx) => transitionStage(tx, { name: modelName, version, stage: 'production', reason }), {
    actor,
  });

/** One round trip. */
async function inProduction(db: Database, tenant: string): Promise<string> {
  const { version } = await readOne(db, tenant, (tx) => resolveModel(tx, `${modelName}:production`));
  return version;
}
