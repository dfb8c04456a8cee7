import { DomainError, parseInput, recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName } from './field-inputs.ts';
import { countChange, lockModel } from './model-lock.ts';
import { getModel, type Model } from './models.ts';
import { modelAliases, modelRegistry, modelRenames, registeredModels } from './schema.ts';

export const RenameModelInput = z.strictObject({ name: modelName, newName: modelName });
export type RenameModelInput = Readonly<z.input<typeof RenameModelInput>>;

/**
 * Gives a model another name: versions, aliases and tags follow, and the history, which goes by the model's id. The old
 * name is free again.
 *
 * Under the lock of the model, in a savepoint, so that a refused rename changes nothing and the transaction can go on.
 * Writes model_renames and announces `model.renamed`.
 *
 * @throws DomainError `not_found` without the model, `already_exists` where the new name is taken by a model or version,
 *   deleted ones included.
 */
export async function renameModel(tx: TenantTx, input: RenameModelInput): Promise<Model> {
  const { name, newName } = parseInput(RenameModelInput, input);
  const model = await lockModel(tx, name);
  if (name === newName) return await getModel(tx, { name });
  await tx.transaction(async (inner) => {
    await moveName(inner, name, newName);
    await Promise.all([
      countChange(inner, model),
      inner.insert(modelRenames).values({
        modelId: model.id,
        changeNumber: model.changeNumber,
        fromName: name,
        toName: newName,
        occurredAt: model.changeAt,
      }),
      recordEvent(inner, {
        topic: 'model.renamed',
        subjectId: model.id,
        payload: { fromName: name, toName: newName, changeNumber: model.changeNumber },
      }),
    ]);
  });
  return await getModel(tx, { name: newName });
}

/**
 * In one statement, because the foreign key from aliases to versions is checked at its end. Two renames to one name meet
 * in the unique key of registered_models, whose error is `already_exists`.
 */
async function moveName(tx: TenantTx, name: string, newName: string): Promise<void> {
  const tenant = tenantOf(tx);
  const [moved] = await tx.execute(sql`
    with model as (
      update ${registeredModels} set name = ${newName}
       where tenant_id = ${tenant} and name = ${name}
         and not exists (select from ${modelRegistry} v where v.tenant_id = ${tenant} and v.name = ${newName})
      returning id
    ), versions as (
      update ${modelRegistry} set name = ${newName}
       where tenant_id = ${tenant} and name = ${name} and exists (select from model)
      returning id
    ), aliases as (
      update ${modelAliases} set name = ${newName}
       where tenant_id = ${tenant} and name = ${name} and exists (select from model)
      returning alias
    )
    select id from model`);
  if (moved === undefined) throw new DomainError('already_exists', 'Versions with the new name exist already.');
}
