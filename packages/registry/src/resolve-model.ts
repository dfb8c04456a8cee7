import { DomainError, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import { aliasName, modelName, stageName, versionName } from './field-inputs.ts';
import { referenceNotFound } from './not-found.ts';
import { type ModelStage, modelAliases, modelRegistry } from './schema.ts';
import type { ModelVersionRow } from './versions.ts';

/** What a reference names: the version behind an alias, a version, or the last one to enter a stage. */
export type ModelReference =
  | { readonly name: string; readonly alias: string }
  | { readonly name: string; readonly version: string }
  | { readonly name: string; readonly stage: ModelStage };

/**
 * Reads `churn@champion`, `churn/3` or `churn:production`. The last of the three separators counts: a model's name may
 * hold them, and new versions and aliases may not.
 *
 * @throws DomainError `invalid_input` for text of another form.
 */
export function parseModelReference(reference: string): ModelReference {
  const [, name, separator, rest] =
    /^(.+)([/@:])([^/@:]+)$/su.exec(typeof reference === 'string' ? reference : '') ?? [];
  if (modelName.safeParse(name).success && name !== undefined) {
    const alias = aliasName.safeParse(rest);
    if (separator === '@' && alias.success) return { name, alias: alias.data };
    const version = versionName.safeParse(rest);
    if (separator === '/' && version.success) return { name, version: version.data };
    const stage = stageName.safeParse(rest);
    if (separator === ':' && stage.success) return { name, stage: stage.data };
  }
  throw new DomainError('invalid_input', 'A reference reads model@alias, model/version or model:stage.', {
    details: { field: 'reference' },
  });
}

/**
 * The version that a reference leads to: `churn@champion`, `churn/3`, or `churn:production`, which of several versions in
 * a stage is the last that entered it. One statement, no lock; without tags and aliases, for the path of each prediction.
 *
 * @throws DomainError `not_found` where it leads nowhere, `invalid_input` where it cannot be read.
 */
export async function resolveModel(tx: TenantTx, reference: string): Promise<ModelVersionRow> {
  const wanted = parseModelReference(reference);
  const tenant = tenantOf(tx);
  const found = tx
    .select()
    .from(modelRegistry)
    .where(
      and(
        eq(modelRegistry.tenantId, tenant),
        eq(modelRegistry.name, wanted.name),
        isNull(modelRegistry.deletedAt),
        'alias' in wanted
          ? // A scalar subquery and no join: as fast as Drizzle's read by primary key.
            sql`${modelRegistry.version} = (
              select a.version from ${modelAliases} a
               where a.tenant_id = ${tenant} and a.name = ${wanted.name} and a.alias = ${wanted.alias})`
          : 'version' in wanted
            ? eq(modelRegistry.version, wanted.version)
            : eq(modelRegistry.stage, wanted.stage),
      ),
    );
  const [row] = await ('stage' in wanted
    ? found.orderBy(desc(modelRegistry.stageChangeNumber), desc(modelRegistry.id)).limit(1)
    : found);
  if (row === undefined) throw referenceNotFound();
  return row;
}
