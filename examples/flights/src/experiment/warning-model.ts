import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { setGate } from '@mcp-hub/evaluation';
import { findVersion, registerVersion, transitionStage } from '@mcp-hub/registry';
import { actor } from '../actor.ts';
import type { FittedVersion } from '../late-arrival-models.ts';

/** The model of the service that warns passengers: the same fits as late-arrival's, served and promoted by themselves. */
export const warningModel = 'late-warning';

/** What a version of it has to fulfil to enter production: somebody of operations, and an experiment that ships it. */
export const gate = { name: warningModel, stage: 'production', gate: 'experiment' } as const;

/** Versions of it that are compared, as the registry has them. */
export interface WarningVersions {
  readonly control: WarningVersion;
  readonly treatment: WarningVersion;
}

export interface WarningVersion {
  readonly versionId: string;
  readonly fitted: FittedVersion;
}

/**
 * Registers two versions, with the first in production, and puts the gate before it. What is there stays as it is: the
 * second may be in production by now.
 */
export async function ensureWarningModel(
  db: Database,
  tenant: string,
  [first, second]: readonly [FittedVersion, FittedVersion],
): Promise<WarningVersions> {
  const find = (tx: TenantTx, { version }: FittedVersion) => findVersion(tx, { name: warningModel, version });
  const [one, other] = await withTenant(db, tenant, async (tx) => [await find(tx, first), await find(tx, second)]);
  if (one !== undefined && other !== undefined) return versionsOf(one.id, other.id, first, second);
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const register = async ({ version, description, artifact }: FittedVersion) => {
        const contentDigest = `sha256:${artifact.sha256}`;
        return (await registerVersion(tx, { name: warningModel, version, description, contentDigest })).id;
      };
      const [oneId, otherId] = [await register(first), await register(second)];
      const reason = 'warns passengers so far';
      await transitionStage(tx, { name: warningModel, version: first.version, stage: 'production', reason });
      await setGate(tx, { ...gate, policy: { clauses: [{ kind: 'approvals', actors: 2, exceptAuthor: true }] } });
      return versionsOf(oneId, otherId, first, second);
    },
    { actor },
  );
}

const versionsOf = (one: string, other: string, first: FittedVersion, second: FittedVersion): WarningVersions => ({
  control: { versionId: one, fitted: first },
  treatment: { versionId: other, fitted: second },
});
