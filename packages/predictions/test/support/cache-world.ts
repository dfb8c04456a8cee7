import { type Database, type Id, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import { type SetCachePolicyInput, setCachePolicy } from '../../src/index.ts';

/** The next version of a model, marked deterministic. */
export async function markedVersion(
  db: Database,
  tenant: string,
  policy: Omit<SetCachePolicyInput, 'deterministic'> = {},
  name = 'churn',
): Promise<Id<'ModelVersion'>> {
  return await withTenant(db, tenant, async (tx) => {
    const { id } = await registerVersion(tx, { name });
    await setCachePolicy(tx, { versionId: id, deterministic: true, ...policy });
    return id;
  });
}

export interface StoredEntry extends Record<string, unknown> {
  readonly version_id: string;
  readonly status: string;
  /** Of the generation of now. */
  readonly is_current: boolean;
  readonly output: string | null;
  readonly last_used: number;
  readonly expires: number | null;
}

/** The rows of a tenant's cache, those used last at the end. */
export const storedEntries = async (db: Database, tenant: string): Promise<readonly StoredEntry[]> =>
  await withTenant(db, tenant, (tx) =>
    tx.execute<StoredEntry>(sql`
      select model_version_id as version_id, status, e.generation = p.generation as is_current, output,
             (extract(epoch from last_used_at) * 1000)::float8 as last_used,
             (extract(epoch from expires_at) * 1000)::float8 as expires
        from prediction_cache e join prediction_cache_policies p using (tenant_id, model_version_id)
       order by last_used_at, key`),
  );
