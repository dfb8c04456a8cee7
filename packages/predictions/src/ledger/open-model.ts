import { DomainError, type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { updateModel } from '@mcp-hub/registry';
import { registeredModels } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import type { ModelSubject } from '../inputs.ts';
import { modelNotFound } from '../not-found.ts';
import { predictionModels } from './schema.ts';

/** The id of a model that is not deleted, as a subquery: null where there is none. */
export const modelIdOf = (tx: TenantTx, { name, modelId }: ModelSubject): SQL => sql`(
  select m.id from ${registeredModels} m
   where m.tenant_id = ${tenantOf(tx)} and m.deleted_at is null
     and ${modelId === undefined ? sql`m.name = ${name ?? ''}` : sql`m.id = ${modelId}::uuid`})`;

export interface OpenModel {
  readonly modelId: Id<'Model'>;
  /** The transaction's time. */
  readonly now: Date;
}

/**
 * Finds the model and holds its row of prediction_models FOR KEY SHARE until the transaction ends, so that it is not erased
 * meanwhile. One round trip; three where it has neither labels nor predictions yet.
 *
 * @throws DomainError `not_found` without the model.
 */
export async function openModel(tx: TenantTx, subject: ModelSubject): Promise<OpenModel> {
  const tenant = tenantOf(tx);
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    const [row] = await tx.execute<{ id: Id<'Model'> | null; is_kept: boolean; now_ms: number }>(sql`
      with model as materialized (
        select ${modelIdOf(tx, subject)} as id
      ), kept as materialized (
        select k.model_id from ${predictionModels} k
         where k.tenant_id = ${tenant} and k.model_id = (select id from model)
           for key share
      )
      select id, exists (select from kept) as is_kept, (extract(epoch from app_now()) * 1000)::float8 as now_ms
        from model`);
    const modelId = row?.id ?? null;
    if (row === undefined || modelId === null) {
      // Versions inserted by hand have no row of their model yet; it throws where there is none of these either.
      if (subject.name === undefined || attempt > 1) throw modelNotFound();
      await updateModel(tx, { name: subject.name });
      continue;
    }
    if (row.is_kept) return { modelId, now: new Date(row.now_ms) };
    await tx.execute(sql`
      insert into ${predictionModels} (tenant_id, model_id) values (${tenant}, ${modelId}::uuid)
          on conflict (tenant_id, model_id) do nothing`);
  }
  throw new DomainError('conflict', 'The labels of this model were pruned while it was opened. Try again.', {
    details: { retryable: true },
  });
}
