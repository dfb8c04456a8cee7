import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { versionNotFound } from '../not-found.ts';
import { scheduledPrune } from './schedule-cache-prune.ts';
import { predictionCachePolicies } from './schema.ts';

export const InvalidateCacheInput = z.strictObject(versionSubject).refine(namesOneVersion, ONE_VERSION);
export type InvalidateCacheInput = Readonly<z.input<typeof InvalidateCacheInput>>;

/**
 * From the commit on no output of the version serves that was stored before, or whose computation had begun; the rows
 * are deleted by the prune that it asks for. In the transaction of an alias move readers see both or neither.
 *
 * One round trip, under the lock of the version's policy; nothing of the size of the cache. Readers do not wait.
 *
 * @returns whether the version is marked deterministic; where it is not there is nothing to invalidate.
 * @throws DomainError `not_found`.
 */
export async function invalidateCache(tx: TenantTx, input: InvalidateCacheInput): Promise<boolean> {
  const subject = parseInput(InvalidateCacheInput, input);
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<{ exists: boolean; invalidated: boolean }>(sql`
    with version as materialized (select ${versionIdOf(tx, subject)} as id), raised as (
      update ${predictionCachePolicies}
         set generation = generation + 1, updated_at = app_now()
       where tenant_id = ${tenant} and model_version_id = (select id from version)
      returning 1
    ), ${scheduledPrune(tx, sql`select app_now() as due_at from raised`)}
    select version.id is not null as exists, exists (select from raised) as invalidated from version`);
  if (row?.exists !== true) throw versionNotFound();
  return row.invalidated;
}
