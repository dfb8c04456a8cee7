import {
  childRows,
  compileFilter,
  defineFilterFields,
  defineOrder,
  enumField,
  type FilterInput,
  mapField,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  page,
  parseInput,
  readFilter,
  readOrder,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { modelName } from './field-inputs.ts';
import { modelRegistry, modelStages, modelTags } from './schema.ts';
import { type ModelVersion, versionColumns } from './versions.ts';

/** What versions can be searched and ordered by. An index serves the orders by name, created_at and updated_at. */
export const versionFields = defineFilterFields({
  id: uuidField(modelRegistry.id),
  name: textField(modelRegistry.name),
  version: textField(modelRegistry.version),
  stage: enumField(modelRegistry.stage, modelStages),
  description: textField(modelRegistry.description),
  artifactUri: textField(modelRegistry.artifactUri),
  contentDigest: textField(modelRegistry.contentDigest),
  artifactBytes: numberField(modelRegistry.artifactBytes),
  flavour: textField(modelRegistry.flavour),
  actor: textField(modelRegistry.actor),
  createdAt: timeField(modelRegistry.createdAt),
  updatedAt: timeField(modelRegistry.updatedAt),
  tags: mapField({
    key: modelTags.key,
    value: textField(modelTags.value),
    aliases: ['tag'],
    ...childRows(modelTags, [
      [modelTags.tenantId, modelRegistry.tenantId],
      [modelTags.versionId, modelRegistry.id],
    ]),
  }),
});

const versionOrder = defineOrder({
  fields: versionFields,
  byDefault: [{ field: 'createdAt', direction: 'desc' }],
  tieBreaker: versionFields.fields.id,
});

export const SearchVersionsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `name = 'churn' AND tags.team = 'ops'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof versionFields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof versionFields>>().optional(),
});
export type SearchVersionsInput = Readonly<z.input<typeof SearchVersionsInput>>;

/**
 * Searches the versions of all models of the tenant that are not deleted, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchVersions(tx: TenantTx, input: SearchVersionsInput = {}): Promise<Page<ModelVersion>> {
  const tenant = tenantOf(tx);
  const { limit, cursor, ...wanted } = parseInput(SearchVersionsInput, input);
  const filter = readFilter(versionFields, wanted.filter);
  const order = readOrder(versionOrder, wanted.orderBy);
  return await page({ tenant, list: ['registry.versions'], filter, order, page: { limit, cursor } }, (query) =>
    tx
      .select({ item: versionColumns(tx), key: query.key })
      .from(modelRegistry)
      .where(
        and(
          eq(modelRegistry.tenantId, tenant),
          isNull(modelRegistry.deletedAt),
          compileFilter(versionFields, filter),
          query.after,
        ),
      )
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}

const registrationOrder = readOrder(versionOrder, [{ field: 'id', direction: 'desc' }]);

export const ListVersionsInput = z.strictObject({ ...PageInput.shape, name: modelName });
export type ListVersionsInput = Readonly<z.input<typeof ListVersionsInput>>;

/** The versions of a model that are not deleted, the last registered first, by pages; none where there is no model. */
export async function listVersions(tx: TenantTx, input: ListVersionsInput): Promise<Page<ModelVersion>> {
  const { name, limit, cursor } = parseInput(ListVersionsInput, input);
  const tenant = tenantOf(tx);
  return await page(
    { tenant, list: ['registry.versionsOfModel', name], order: registrationOrder, page: { limit, cursor } },
    (query) =>
      tx
        .select({ item: versionColumns(tx), key: query.key })
        .from(modelRegistry)
        .where(
          and(
            eq(modelRegistry.tenantId, tenant),
            eq(modelRegistry.name, name),
            isNull(modelRegistry.deletedAt),
            query.after,
          ),
        )
        .orderBy(...query.orderBy)
        .limit(query.limit),
  );
}
