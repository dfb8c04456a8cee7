import {
  childRows,
  compileFilter,
  defineFilterFields,
  defineOrder,
  type FilterInput,
  mapField,
  type OrderInput,
  type Page,
  type PageInput,
  page,
  readFilter,
  readOrder,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Model } from './models.ts';
import { type JsonObject, modelAliases, modelTags, registeredModels } from './schema.ts';

/** What models can be searched and ordered by. An index serves the orders by name, created_at and updated_at. */
export const modelFields = defineFilterFields({
  id: uuidField(registeredModels.id),
  name: textField(registeredModels.name),
  description: textField(registeredModels.description),
  actor: textField(registeredModels.actor),
  createdAt: timeField(registeredModels.createdAt),
  updatedAt: timeField(registeredModels.updatedAt),
  tags: mapField({
    key: modelTags.key,
    value: textField(modelTags.value),
    aliases: ['tag'],
    ...childRows(modelTags, [
      [modelTags.tenantId, registeredModels.tenantId],
      [modelTags.modelId, registeredModels.id],
    ]),
  }),
});

const modelOrder = defineOrder({
  fields: modelFields,
  byDefault: [{ field: 'name' }],
  tieBreaker: modelFields.fields.id,
});

export interface SearchModelsInput extends PageInput {
  /** Text such as `name LIKE 'churn%' AND tags.team = 'ops'`, or the same as an object. */
  readonly filter?: FilterInput<typeof modelFields>;
  /** Default: by name. */
  readonly orderBy?: OrderInput<typeof modelFields>;
}

/**
 * Searches the models that are not deleted, by pages. One statement, no lock. A model of which there are only versions
 * inserted by hand is not among them until it has a row; searchVersions finds its versions.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchModels(tx: TenantTx, input: SearchModelsInput = {}): Promise<Page<Model>> {
  const tenant = tenantOf(tx);
  const filter = readFilter(modelFields, input.filter);
  const order = readOrder(modelOrder, input.orderBy);
  const { id, name, description, metadata, actor, createdAt, updatedAt } = registeredModels;
  return await page<Model>({ tenant, list: ['registry.models'], filter, order, page: input }, (query) =>
    tx
      .select({
        item: {
          id,
          name,
          description,
          metadata: sql<JsonObject>`${metadata}`,
          tags: sql<Readonly<Record<string, string>>>`coalesce((
            select json_object_agg(t.key, t.value order by t.key) from ${modelTags} t
             where t.tenant_id = ${tenant} and t.subject_id = registered_models.id), '{}')`,
          aliases: sql<Readonly<Record<string, string>>>`coalesce((
            select json_object_agg(a.alias, a.version order by a.alias) from ${modelAliases} a
             where a.tenant_id = ${tenant} and a.name = registered_models.name), '{}')`,
          actor,
          createdAt,
          updatedAt,
        },
        key: query.key,
      })
      .from(registeredModels)
      .where(
        and(
          eq(registeredModels.tenantId, tenant),
          isNull(registeredModels.deletedAt),
          compileFilter(modelFields, filter),
          query.after,
        ),
      )
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}
