import { type Id, type TenantTx, tenantOf, textArray, uuidArray } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { holdoutNotFound, layerNotFound, versionNotFound } from '../not-found.ts';
import { abExperiments, abHoldouts, abLayers } from './schema.ts';

interface Names {
  readonly versionIds: readonly string[];
  readonly layerKey: string | undefined;
  readonly holdoutKeys: readonly string[];
  /** Of an experiment that must not be there yet. */
  readonly newKey?: string;
}

export interface References {
  readonly layerId: Id<'Layer'> | null;
  readonly holdouts: readonly { readonly id: Id<'Holdout'>; readonly seed: string }[];
  readonly isKeyTaken: boolean;
}

interface Found extends Record<string, unknown> {
  readonly versions: number;
  readonly layer_id: Id<'Layer'> | null;
  readonly holdouts: readonly { readonly id: Id<'Holdout'>; readonly seed: string }[];
  readonly taken: boolean;
}

/**
 * The ids of what an experiment names, in one statement.
 *
 * @throws DomainError `not_found` for a version that is not there or deleted, a layer or a holdout.
 */
export async function findReferences(tx: TenantTx, names: Names): Promise<References> {
  const { layerKey = null, holdoutKeys, newKey = null } = names;
  const versionIds = [...new Set(names.versionIds.map((id) => id.toLowerCase()))];
  const tenant = tenantOf(tx);
  const [found] = await tx.execute<Found>(sql`
    select (select count(*)::int from ${modelRegistry} v
             where v.tenant_id = ${tenant} and v.id = any (${uuidArray(versionIds)}) and v.deleted_at is null) as versions,
           (select l.id from ${abLayers} l where l.tenant_id = ${tenant} and l.key = ${layerKey}::text) as layer_id,
           (select coalesce(json_agg(json_build_object('id', h.id, 'seed', h.seed)), '[]') from ${abHoldouts} h
             where h.tenant_id = ${tenant} and h.key = any (${textArray(holdoutKeys)})) as holdouts,
           exists (select from ${abExperiments} e where e.tenant_id = ${tenant} and e.key = ${newKey}::text) as taken`);
  if (found?.versions !== versionIds.length) throw versionNotFound();
  if (layerKey !== null && found.layer_id === null) throw layerNotFound();
  if (found.holdouts.length !== holdoutKeys.length) throw holdoutNotFound();
  return { layerId: found.layer_id, holdouts: found.holdouts, isKeyTaken: found.taken };
}
