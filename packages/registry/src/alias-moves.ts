import { recordEvents, type TenantTx, tenantOf, textArray, timeParameter, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import type { ChangedModel, LockedModel } from './model-lock.ts';
import { modelAliases, modelAliasMoves, modelRegistry } from './schema.ts';

/** What an alias points to. */
export interface AliasEnd {
  readonly id: string;
  readonly version: string;
}

/** One alias that changes: null before it was there, and after it is removed. */
export interface AliasChange {
  readonly alias: string;
  readonly from: AliasEnd | null;
  readonly to: AliasEnd | null;
}

/**
 * Writes the audit rows of one change of a model's aliases and announces `model_alias.moved` for each, in one flight.
 * The only place that does, so that none goes without the other.
 */
export async function recordAliasMoves(
  tx: TenantTx,
  model: ChangedModel,
  changes: readonly AliasChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const column = (value: (change: AliasChange) => string | null | undefined) =>
    changes.map((change) => value(change) ?? null);
  await Promise.all([
    tx.execute(sql`
      insert into ${modelAliasMoves}
             (tenant_id, model_id, change_number, name, alias,
              from_version_id, from_version, to_version_id, to_version, occurred_at)
      select ${tenantOf(tx)}, ${model.id}::uuid, ${model.changeNumber}::bigint, ${model.name}, change.*,
             ${timeParameter(model.changeAt)}
        from unnest(${textArray(column(({ alias }) => alias))},
                    ${uuidArray(column(({ from }) => from?.id))}, ${textArray(column(({ from }) => from?.version))},
                    ${uuidArray(column(({ to }) => to?.id))}, ${textArray(column(({ to }) => to?.version))}) as change`),
    recordEvents(
      tx,
      changes.map(({ alias, from, to }) => ({
        topic: 'model_alias.moved',
        subjectId: model.id,
        payload: {
          name: model.name,
          alias,
          fromVersion: from?.version ?? null,
          toVersion: to?.version ?? null,
          changeNumber: model.changeNumber,
        },
      })),
    ),
  ]);
}

/** Removes the aliases of a model, or of one of its versions, under the model's lock; recordAliasMoves takes the result. */
export async function removeAliases(
  tx: TenantTx,
  model: LockedModel,
  version?: string,
): Promise<readonly AliasChange[]> {
  const tenant = tenantOf(tx);
  const which: SQL = version === undefined ? sql`` : sql`and a.version = ${version}`;
  const removed = await tx.execute<{ alias: string; id: string; version: string }>(sql`
    delete from ${modelAliases} a
     using ${modelRegistry} v
     where a.tenant_id = ${tenant} and a.name = ${model.name} ${which}
       and v.tenant_id = ${tenant} and v.name = a.name and v.version = a.version
    returning a.alias, v.id, v.version`);
  return removed.map(({ alias, ...from }) => ({ alias, from, to: null }));
}
