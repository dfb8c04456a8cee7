import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  findVersion,
  modelRegistry,
  registerVersion,
  resolveModel,
  rollbackPromotion,
  setAlias,
  setVersionTag,
  transitionStage,
} from '@mcp-hub/registry';
import type { FittedVersion } from './late-arrival-models.ts';

export const modelName = 'late-arrival';
const actor = 'flights-example';

export interface TourReport {
  readonly registered: readonly { readonly version: string; readonly isNew: boolean }[];
  /** Versions that `late-arrival:production` resolved to: after the promotion of 2, and after it was taken back. */
  readonly promoted: string;
  readonly afterRollback: string;
  readonly champion: string;
  /** Every version that the tenant can see. */
  readonly visible: readonly string[];
}

/**
 * One tenant's way through the registry: register both versions, promote the first and then the second, find that out
 * by resolving, take the second promotion back, and name the champion. A second run finds the versions there.
 */
export async function tourRegistry(
  db: Database,
  tenant: string,
  versions: readonly FittedVersion[],
  artifactUri: (version: FittedVersion) => string,
): Promise<TourReport> {
  const registered = await withTenant(
    db,
    tenant,
    async (tx) => {
      const results: { version: string; isNew: boolean }[] = [];
      for (const version of versions) {
        results.push({ version: version.version, isNew: await ensureRegistered(tx, version, artifactUri(version)) });
      }
      return results;
    },
    { actor },
  );

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
  // Without any condition: what comes back is what row level security lets through.
  const visible = await readOne(db, tenant, (tx) => tx.select().from(modelRegistry).orderBy(modelRegistry.id));
  return {
    registered,
    promoted,
    afterRollback,
    champion: champion.version,
    visible: visible.map((row) => row.id),
  };
}

async function ensureRegistered(tx: TenantTx, fitted: FittedVersion, artifactUri: string): Promise<boolean> {
  const known = await findVersion(tx, { name: modelName, version: fitted.version });
  if (known === undefined) {
    await registerVersion(tx, {
      name: modelName,
      version: fitted.version,
      description: fitted.description,
      artifactUri,
      artifactBytes: fitted.artifact.byteLength,
      contentDigest: `sha256:${fitted.digest}`,
      flavour: 'logistic-regression-json',
      inputSignature: {
        type: 'object',
        required: [...fitted.model.features],
        properties: Object.fromEntries(fitted.model.features.map((name) => [name, { type: 'number' }])),
      },
      outputSignature: { type: 'number', minimum: 0, maximum: 1 },
      tags: { dataset: 'flights-20k', held_back: '2001-03' },
    });
  } else if (known.contentDigest !== `sha256:${fitted.digest}`) {
    throw new Error(`Version ${fitted.version} is registered with another digest: the fit is not what it was.`);
  }
  await setVersionTag(tx, {
    name: modelName,
    version: fitted.version,
    key: 'held_back_auc',
    value: fitted.heldBackAuc.toFixed(4),
  });
  return known === undefined;
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
