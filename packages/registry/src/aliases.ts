import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type AliasEnd, recordAliasMoves } from './alias-moves.ts';
import { aliasName, modelName, newAliasName, versionName } from './field-inputs.ts';
import { countChange, type LockedModel, lockModel } from './model-lock.ts';
import { versionNotFound } from './not-found.ts';
import { modelAliases, modelRegistry } from './schema.ts';
import { liveVersion } from './versions.ts';

/** The version that an alias must point to before the change; null: there must be no such alias. */
const expectedVersionName = versionName.nullable().optional();

export const SetAliasInput = z.strictObject({
  name: modelName,
  alias: newAliasName,
  version: versionName,
  expectedVersion: expectedVersionName,
});
export type SetAliasInput = Readonly<z.input<typeof SetAliasInput>>;

/** What an alias pointed to before and points to now. */
export interface AliasMove {
  readonly alias: string;
  readonly fromVersion: string | null;
  readonly toVersion: string | null;
}

/**
 * Points an alias to a version, from wherever it pointed. Where it points there already nothing is written.
 *
 * Under the lock of the model; three round trips. Writes model_alias_moves and announces `model_alias.moved`.
 *
 * @throws DomainError `not_found` without the version, `conflict` where `expectedVersion` is given and not what the alias
 *   points to, `invalid_input` for reserved names (`latest`, `v1`, in any case).
 */
export async function setAlias(tx: TenantTx, input: SetAliasInput): Promise<AliasMove> {
  const { name, alias, version, expectedVersion } = parseInput(SetAliasInput, input);
  const model = await lockModel(tx, name);
  const { from, to } = await readEnds(tx, model, alias, version);
  if (to === null) throw versionNotFound();
  refuseUnexpected(from, expectedVersion);
  if (from?.id !== to.id) {
    await Promise.all([
      tx
        .insert(modelAliases)
        .values({ name, alias, version, createdAt: model.changeAt, updatedAt: model.changeAt })
        .onConflictDoUpdate({
          target: [modelAliases.tenantId, modelAliases.name, modelAliases.alias],
          set: { version, updatedAt: model.changeAt, actor: sql`excluded.actor` },
        }),
      countChange(tx, model),
      recordAliasMoves(tx, model, [{ alias, from, to }]),
    ]);
  }
  return { alias, fromVersion: from?.version ?? null, toVersion: version };
}

export const RemoveAliasInput = z.strictObject({
  name: modelName,
  alias: aliasName,
  expectedVersion: expectedVersionName,
});
export type RemoveAliasInput = Readonly<z.input<typeof RemoveAliasInput>>;

/**
 * Removes an alias; where it is not there nothing is written, so that a repeated call does no harm.
 *
 * As setAlias otherwise. @throws DomainError `not_found` without the model, `conflict` as setAlias.
 */
export async function removeAlias(tx: TenantTx, input: RemoveAliasInput): Promise<AliasMove> {
  const { name, alias, expectedVersion } = parseInput(RemoveAliasInput, input);
  const model = await lockModel(tx, name);
  const { from } = await readEnds(tx, model, alias, null);
  refuseUnexpected(from, expectedVersion);
  if (from !== null) {
    await Promise.all([
      tx
        .delete(modelAliases)
        .where(
          and(eq(modelAliases.tenantId, tenantOf(tx)), eq(modelAliases.name, name), eq(modelAliases.alias, alias)),
        ),
      countChange(tx, model),
      recordAliasMoves(tx, model, [{ alias, from, to: null }]),
    ]);
  }
  return { alias, fromVersion: from?.version ?? null, toVersion: null };
}

/** Where the alias points, and the version it shall point to; null for what is not there. */
async function readEnds(
  tx: TenantTx,
  model: LockedModel,
  alias: string,
  version: string | null,
): Promise<{ readonly from: AliasEnd | null; readonly to: AliasEnd | null }> {
  const tenant = tenantOf(tx);
  const [ends] = await tx.execute<{ from: AliasEnd | null; to: AliasEnd | null }>(sql`
    select (select json_build_object('id', v.id, 'version', v.version)
              from ${modelAliases} a
              join ${modelRegistry} v on v.tenant_id = a.tenant_id and v.name = a.name and v.version = a.version
             where a.tenant_id = ${tenant} and a.name = ${model.name} and a.alias = ${alias}) as "from",
           ${
             version === null
               ? sql`null`
               : sql`(
             select json_build_object('id', id, 'version', version)
               from ${modelRegistry} where ${liveVersion(tx, model.name, version)})`
           } as "to"`);
  return ends ?? { from: null, to: null };
}

function refuseUnexpected(from: AliasEnd | null, expected: string | null | undefined): void {
  if (expected === undefined || expected === (from?.version ?? null)) return;
  throw new DomainError(
    'conflict',
    'The alias does not point to the expected version. Read it again and decide anew.',
    {
      details: { field: 'expectedVersion' },
    },
  );
}
