import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { parseModelReference } from '@mcp-hub/registry';
import { modelAliases, modelRegistry } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import type { VersionSubject } from './inputs.ts';

/**
 * The id of a version that is not deleted, as a subquery: null where there is none. An alias or stage is followed in the
 * statement that it is a part of.
 */
export function versionIdOf(tx: TenantTx, subject: VersionSubject): SQL {
  const tenant = tenantOf(tx);
  const { condition, last } = conditionOf(tx, subject);
  return sql`(
    select v.id from ${modelRegistry} v where v.tenant_id = ${tenant} and ${condition} and v.deleted_at is null
     ${last ? sql`order by v.stage_change_number desc, v.id desc limit 1` : sql``})`;
}

function conditionOf(tx: TenantTx, subject: VersionSubject): { readonly condition: SQL; readonly last: boolean } {
  const one = (condition: SQL) => ({ condition, last: false });
  if (subject.versionId !== undefined) return one(sql`v.id = ${subject.versionId}::uuid`);
  if (subject.reference === undefined) {
    return one(sql`v.name = ${subject.name ?? ''} and v.version = ${subject.version ?? ''}`);
  }
  const wanted = parseModelReference(subject.reference);
  if ('version' in wanted) return one(sql`v.name = ${wanted.name} and v.version = ${wanted.version}`);
  // Of several versions in a stage the last that entered it, as resolveModel says.
  if ('stage' in wanted) return { condition: sql`v.name = ${wanted.name} and v.stage = ${wanted.stage}`, last: true };
  return one(sql`v.name = ${wanted.name} and v.version = (
      select a.version from ${modelAliases} a
       where a.tenant_id = ${tenantOf(tx)} and a.name = ${wanted.name} and a.alias = ${wanted.alias})`);
}
