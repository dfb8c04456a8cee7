import { nameInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { REGISTRY_LIMITS } from './limits.ts';
import { parseModelReference } from './resolve-model.ts';
import { modelAliases, modelRegistry } from './schema.ts';

// How functions of this and later packages are told which version is meant.

const nameOf = nameInput(REGISTRY_LIMITS.nameLength);

const isReference = (text: string): boolean => {
  try {
    parseModelReference(text);
    return true;
  } catch {
    return false;
  }
};

/** A model version by name and version, by its id, or by a reference such as `churn@champion`. */
export const versionSubject = {
  name: nameOf.optional(),
  version: nameOf.optional(),
  versionId: z.uuid().optional(),
  reference: z.string().refine(isReference, 'must read model@alias, model/version or model:stage').optional(),
};

export interface VersionSubject {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly versionId?: string | undefined;
  readonly reference?: string | undefined;
}

/** For zod's refine, with ONE_VERSION. */
export const namesOneVersion = ({ name, version, versionId, reference }: VersionSubject) =>
  Number(name !== undefined && version !== undefined) +
    Number(versionId !== undefined) +
    Number(reference !== undefined) ===
    1 && (name === undefined) === (version === undefined);
export const ONE_VERSION =
  'must name the version by name and version, by versionId, or by reference, and by one of these';

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
