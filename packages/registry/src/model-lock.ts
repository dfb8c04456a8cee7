import { type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { modelNotFound } from './not-found.ts';
import { modelRegistry, registeredModels } from './schema.ts';

/** A model, and the number and time that its change bears. */
export interface ChangedModel {
  readonly id: string;
  readonly name: string;
  readonly changeNumber: number;
  readonly changeAt: Date;
}

/** A model whose row this transaction holds; the change is the next. */
export interface LockedModel extends ChangedModel {
  readonly id: Id<'Model'>;
  readonly deletedAt: Date | null;
}

/**
 * Takes the one lock of a model: its row in registered_models, until the transaction ends. Promotions, aliases,
 * numbering and renames wait for each other here, and for nothing of another model.
 *
 * A statement of its own, because at READ COMMITTED a statement that waits for a lock goes on reading the other tables
 * as they were before it waited. NO KEY UPDATE, because a transaction that has tagged a model holds a KEY SHARE of its
 * row, by the foreign key: with FOR UPDATE two of them that go on to change the model deadlock (seen). Whoever takes the
 * locks of several models takes them in the order of their names.
 *
 * @throws DomainError `not_found` where neither the model nor a version of this name is there.
 */
export async function lockModel(tx: TenantTx, name: string): Promise<LockedModel> {
  const model = await lockModelOrDeleted(tx, name);
  if (model.deletedAt !== null) throw modelNotFound();
  return model;
}

/** As lockModel, and a model that is deleted is found too. */
export async function lockModelOrDeleted(tx: TenantTx, name: string): Promise<LockedModel> {
  let model = await takeLock(tx, name);
  if (model === undefined) {
    await ensureModelRow(tx, name);
    model = await takeLock(tx, name);
  }
  if (model === undefined) throw modelNotFound();
  return model;
}

/** Makes the row of a model that so far has versions inserted by hand only. Several at once make one. */
export async function ensureModelRow(tx: TenantTx, name: string): Promise<void> {
  const tenant = tenantOf(tx);
  const bearsVersions = sql`exists (
    select from ${modelRegistry} v where v.tenant_id = ${tenant} and v.name = ${name} and v.deleted_at is null)`;
  const [made] = await tx.execute<{ id: string }>(sql`
    insert into ${registeredModels} (tenant_id, name)
    select ${tenant}, ${name}::text where ${bearsVersions}
        on conflict (tenant_id, name) do nothing
    returning id`);
  if (made === undefined) return;
  // The insert may have waited for a transaction that made the row too and then renamed it. It goes on with what it saw
  // before, so that the versions may be gone by now; nobody else can have seen the row.
  await tx.execute(sql`
    delete from ${registeredModels} where tenant_id = ${tenant} and id = ${made.id}::uuid and not ${bearsVersions}`);
}

/** Writes back that the model's next change has been made. */
export async function countChange(tx: TenantTx, model: LockedModel): Promise<void> {
  await tx
    .update(registeredModels)
    .set({ lastChangeNumber: model.changeNumber, lastChangeAt: model.changeAt, updatedAt: model.changeAt })
    .where(and(eq(registeredModels.tenantId, tenantOf(tx)), eq(registeredModels.id, model.id)));
}

async function takeLock(tx: TenantTx, name: string): Promise<LockedModel | undefined> {
  const [row] = await tx
    .select({
      id: registeredModels.id,
      name: registeredModels.name,
      changeNumber: sql<number>`${registeredModels.lastChangeNumber} + 1`.mapWith(Number),
      // A transaction's clock stands still from its start, before it waited: times must not run behind the numbers.
      changeAt: sql`greatest(app_now()::timestamptz(3), ${registeredModels.lastChangeAt})`.mapWith(
        registeredModels.createdAt,
      ),
      deletedAt: registeredModels.deletedAt,
    })
    .from(registeredModels)
    .where(and(eq(registeredModels.tenantId, tenantOf(tx)), eq(registeredModels.name, name)))
    .for('no key update');
  return row;
}
