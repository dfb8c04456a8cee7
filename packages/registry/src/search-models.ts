import {
  childRows,
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  mapField,
  type OrderInput,
  type Page,
  type PageClauses,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Model, modelColumns } from './models.ts';
import { modelRegistry, modelTags, registeredModels } from './schema.ts';
import { tagValueField } from './tag-value-field.ts';

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
    value: tagValueField,
    aliases: ['tag'],
    ...childRows(modelTags, [
      [modelTags.tenantId, registeredModels.tenantId],
      [modelTags.modelId, registeredModels.id],
    ]),
  }),
});

/**
 * A page of the models, and one of the names that only versions inserted by hand bear. Both go under the name of the
 * models' table, so that the fields above mean either, and each has the whole condition, order and limit: above a union
 * they would read and sort all models of the tenant for each page.
 */
const modelsAndNames = ({ tenant, condition, inOrder }: PageClauses): SQL => sql`(
    (select tenant_id, id, id as model_id, name, description, metadata, actor, created_at, updated_at
       from ${registeredModels}
      where tenant_id = ${tenant} and deleted_at is null and ${condition} ${inOrder})
    union all
    (select *
       from (
         select v.tenant_id, v.id, null::uuid as model_id, v.name, null::text as description, '{}'::jsonb as metadata,
                null::text as actor, v.created_at, v.created_at as updated_at
           from ${modelRegistry} v
          where v.tenant_id = ${tenant} and v.deleted_at is null and v.stage_change_number = 0
            and not exists (select from ${registeredModels} m where m.tenant_id = ${tenant} and m.name = v.name)
            and not exists (select from ${modelRegistry} older
                             where older.tenant_id = ${tenant} and older.name = v.name and older.id < v.id
                               and older.deleted_at is null and older.stage_change_number = 0)) as registered_models
      where ${condition} ${inOrder})) as registered_models`;

const { name, description, metadata, actor, createdAt, updatedAt } = registeredModels;

const modelList = defineList({
  name: 'registry.models',
  from: modelsAndNames,
  columns: {
    id: sql<Model['id']>`registered_models.model_id`,
    name,
    description,
    metadata,
    ...modelColumns(sql`registered_models.tenant_id`, sql`registered_models.model_id`, sql`registered_models.name`),
    actor,
    createdAt,
    updatedAt,
  },
  order: defineOrder({
    fields: modelFields,
    byDefault: [{ field: 'name' }],
    tieBreaker: modelFields.fields.id,
  }),
});

export const SearchModelsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `name LIKE 'churn%' AND tags.team = 'ops'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof modelFields>>().optional(),
  /** Default: by name. */
  orderBy: z.custom<OrderInput<typeof modelFields>>().optional(),
});
export type SearchModelsInput = Readonly<z.input<typeof SearchModelsInput>>;

/**
 * Searches the models that are not deleted, by pages. One statement, no lock. Where only versions inserted by hand bear a
 * name, the oldest of them stands for the model, as in findModel: its id is null.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchModels(tx: TenantTx, input: SearchModelsInput = {}): Promise<Page<Model>> {
  return await readPage(tx, modelList, parseInput(SearchModelsInput, input));
}
