import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import type { VersionSubject } from './inputs.ts';

/** The id of a version that is not deleted, as a subquery: null where there is none. */
export function versionIdOf(tx: TenantTx, { name, version, versionId }: VersionSubject): SQL {
  const named =
    versionId === undefined
      ? sql`v.name = ${name ?? ''} and v.version = ${version ?? ''}`
      : sql`v.id = ${versionId}::uuid`;
  return sql`(
    select v.id from ${modelRegistry} v where v.tenant_id = ${tenantOf(tx)} and ${named} and v.deleted_at is null)`;
}
