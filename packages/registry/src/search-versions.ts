import {
  childRows,
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  mapField,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { eq, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { modelName } from './field-inputs.ts';
import { modelRegistry, modelStages, modelTags } from './schema.ts';
import { tagValueField } from './tag-value-field.ts';
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
    value: tagValueField,
    aliases: ['tag'],
    ...childRows(modelTags, [
      [modelTags.tenantId, modelRegistry.tenantId],
      [modelTags.versionId, modelRegistry.id],
    ]),
  }),
});

const versionList = defineList({
  name: 'registry.versions',
  from: modelRegistry,
  columns: versionColumns,
  where: isNull(modelRegistry.deletedAt),
  order: defineOrder({
    fields: versionFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: versionFields.fields.id,
  }),
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
  return await readPage(tx, versionList, parseInput(SearchVersionsInput, input));
}

export const ListVersionsInput = z.strictObject({ ...PageInput.shape, name: modelName });
export type ListVersionsInput = Readonly<z.input<typeof ListVersionsInput>>;

/** The versions of a model that are not deleted, the last registered first, by pages; none where there is no model. */
export async function listVersions(tx: TenantTx, input: ListVersionsInput): Promise<Page<ModelVersion>> {
  const { name, ...page } = parseInput(ListVersionsInput, input);
  const within = { condition: eq(modelRegistry.name, name), of: [name] };
  return await readPage(tx, versionList, { ...page, within, orderBy: [{ field: 'id', direction: 'desc' }] });
}
