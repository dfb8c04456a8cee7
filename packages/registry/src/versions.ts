import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, versionName } from './field-inputs.ts';
import { versionNotFound } from './not-found.ts';
import { modelAliases, modelRegistry, modelTags } from './schema.ts';

/** A row of model_registry. */
export type ModelVersionRow = Readonly<typeof modelRegistry.$inferSelect>;

/** A version with its tags, and the aliases that point to it, in their alphabetical order. */
export interface ModelVersion extends ModelVersionRow {
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
}

export const GetVersionInput = z.strictObject({ name: modelName, version: versionName });
export type GetVersionInput = Readonly<z.input<typeof GetVersionInput>>;

/** As findVersion. @throws DomainError `not_found` where it gives undefined. */
export async function getVersion(tx: TenantTx, input: GetVersionInput): Promise<ModelVersion> {
  const version = await findVersion(tx, input);
  if (version === undefined) throw versionNotFound();
  return version;
}

/** The version, or undefined where it is not there or deleted. One statement, no lock. */
export async function findVersion(tx: TenantTx, input: GetVersionInput): Promise<ModelVersion | undefined> {
  const { name, version } = parseInput(GetVersionInput, input);
  const [row] = await tx
    .select(versionColumns)
    .from(modelRegistry)
    .where(liveVersion(tx, name, version));
  return row;
}

/** The condition that a row of model_registry, under its own name, is this version and not deleted. */
export const liveVersion = (tx: TenantTx, name: string, version: string) =>
  and(
    eq(modelRegistry.tenantId, tenantOf(tx)),
    eq(modelRegistry.name, name),
    eq(modelRegistry.version, version),
    isNull(modelRegistry.deletedAt),
  );

/** The select list of a ModelVersion. In raw SQL the outer table is spelled out: Drizzle drops it from columns. */
export const versionColumns = {
  ...getTableColumns(modelRegistry),
  tags: sql<Readonly<Record<string, string>>>`coalesce((
    select json_object_agg(t.key, t.value order by t.key) from ${modelTags} t
     where t.tenant_id = model_registry.tenant_id and t.subject_id = model_registry.id), '{}')`,
  aliases: sql<readonly string[]>`coalesce((
    select json_agg(a.alias order by a.alias) from ${modelAliases} a
     where a.tenant_id = model_registry.tenant_id and a.name = model_registry.name
       and a.version = model_registry.version), '[]')`,
};
