import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import { resolveModel, rollbackPromotion, setAlias, transitionStage } from '@mcp-hub/registry';
import { actor } from './actor.ts';
import { modelName } from './late-arrival-models.ts';

export interface TourReport {
  /** Versions that `late-arrival:production` resolved to: after the promotion of 2, and after it was taken back. */
  readonly promoted: string;
  readonly afterRollback: string;
  readonly champion: string;
}

/**
 * One tenant's way through the registry: promote the first version and then the second, find that out by resolving, take
 * the second promotion back, and name the champion.
 */
export async function tourRegistry(db: Database, tenant: string): Promise<TourReport> {
  await promote(db, tenant, '1', 'the first version that beats a coin');
  await promote(db, tenant, '2', 'better on the days that were held back');
  const promoted = await inProduction(db, tenant);

  await withTenant(
    db,
    tenant,
    (tx) =>
      rollbackPromotion(tx, {
        name: modelName,
        expectedVersion: '2',
        reason: 'show that one call takes a promotion back',
      }),
    { actor },
  );
  const afterRollback = await inProduction(db, tenant);

  await withTenant(db, tenant, (tx) => setAlias(tx, { name: modelName, alias: 'champion', version: afterRollback }), {
    actor,
  });
  const champion = await readOne(db, tenant, (tx) => resolveModel(tx, `${modelName}@champion`));
  return { promoted, afterRollback, champion: champion.version };
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
