import { DomainError, type Id, jsonParameter, newId, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, asc, eq, isNull, type SQLWrapper, sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, jsonObject, modelName, tagRecord } from './field-inputs.ts';
import { recordModelChange } from './model-changes.ts';
import { modelNotFound } from './not-found.ts';
import { type JsonObject, modelAliases, modelRegistry, modelTags, registeredModels } from './schema.ts';
import { insertTags } from './tags.ts';

/** A model as it is read: its own facts with its tags, and its aliases with the version of each. */
export interface Model {
  /** null while all its versions were inserted by hand and no function has needed the model's row. */
  readonly id: Id<'Model'> | null;
  readonly name: string;
  readonly description: string | null;
  readonly metadata: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly actor: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const CreateModelInput = z.strictObject({
  name: modelName,
  description: descriptionText.nullish(),
  tags: tagRecord.optional(),
  metadata: jsonObject.optional(),
});
export type CreateModelInput = Readonly<z.input<typeof CreateModelInput>>;

/**
 * Creates a model that has no versions yet. registerVersion does without: it creates the model on demand.
 *
 * Two round trips; no lock but the new row. Announces `model.created`, with its row in the history.
 *
 * @throws DomainError `already_exists` where the name is taken, also by a deleted model that can be restored.
 */
export async function createModel(tx: TenantTx, input: CreateModelInput): Promise<Model> {
  const given = parseInput(CreateModelInput, input);
  const { name } = given;
  const [made] = await tx.execute<{ id: string; change_ms: number }>(sql`
    with model as (
      insert into ${registeredModels} (tenant_id, id, name, description, metadata, last_change_number, last_change_at)
      values (${tenantOf(tx)}, ${newId()}, ${name}, ${given.description ?? null}, ${jsonParameter(given.metadata ?? {})},
              1, app_now())
          on conflict (tenant_id, name) do nothing
      returning id, last_change_at
    ), tagged as (
      ${insertTags(tx, 'model_id', sql`model`, given.tags)}
    )
    select id, (extract(epoch from last_change_at) * 1000)::float8 as change_ms from model`);
  if (made === undefined) throw new DomainError('already_exists', 'A model with this name exists already.');
  const changed = { id: made.id, name, changeNumber: 1, changeAt: new Date(made.change_ms) };
  const [model] = await Promise.all([getModel(tx, { name }), recordModelChange(tx, changed, { kind: 'created' })]);
  return model;
}

export const GetModelInput = z.strictObject({ name: modelName });
export type GetModelInput = Readonly<z.input<typeof GetModelInput>>;

/** As findModel. @throws DomainError `not_found` where it gives undefined. */
export async function getModel(tx: TenantTx, input: GetModelInput): Promise<Model> {
  const model = await findModel(tx, input);
  if (model === undefined) throw modelNotFound();
  return model;
}

/**
 * The model of this name, or undefined. One statement, no lock.
 *
 * Where only versions inserted by hand bear the name, the oldest of them stands for the model: its id is null.
 */
export async function findModel(tx: TenantTx, input: GetModelInput): Promise<Model | undefined> {
  const { name } = parseInput(GetModelInput, input);
  const tenant = tenantOf(tx);
  const registered = tx
    .select()
    .from(registeredModels)
    .where(and(eq(registeredModels.tenantId, tenant), eq(registeredModels.name, name)))
    .as('registered');
  const byHand = tx
    .select({ name: modelRegistry.name, createdAt: modelRegistry.createdAt })
    .from(modelRegistry)
    .where(and(eq(modelRegistry.tenantId, tenant), eq(modelRegistry.name, name), isNull(modelRegistry.deletedAt)))
    .orderBy(asc(modelRegistry.id))
    .limit(1)
    .as('by_hand');
  const [model] = await tx
    .select({
      id: registered.id,
      name: sql<string>`coalesce(${registered.name}, ${byHand.name})`,
      description: registered.description,
      metadata: sql<JsonObject>`coalesce(${registered.metadata}, '{}')`,
      ...modelColumns(sql`${tenant}`, registered.id, sql`${name}`),
      actor: registered.actor,
      createdAt: sql`coalesce(${registered.createdAt}, ${byHand.createdAt})`.mapWith(registeredModels.createdAt),
      updatedAt: sql`coalesce(${registered.updatedAt}, ${byHand.createdAt})`.mapWith(registeredModels.updatedAt),
    })
    .from(registered)
    .fullJoin(byHand, eq(registered.name, byHand.name))
    .where(isNull(registered.deletedAt));
  return model;
}

/** What a Model has beside the columns of its row, for a query that says what its tenant, id and name are. */
export const modelColumns = (tenant: SQLWrapper, id: SQLWrapper, name: SQLWrapper) => ({
  tags: sql<Readonly<Record<string, string>>>`coalesce((
    select json_object_agg(t.key, t.value order by t.key) from ${modelTags} t
     where t.tenant_id = ${tenant} and t.subject_id = ${id}), '{}')`,
  aliases: sql<Readonly<Record<string, string>>>`coalesce((
    select json_object_agg(a.alias, a.version order by a.alias) from ${modelAliases} a
     where a.tenant_id = ${tenant} and a.name = ${name}), '{}')`,
});
