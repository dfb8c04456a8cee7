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
  type PageInput,
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

export interface SearchVersionsInput extends PageInput {
  /** Text such as `name = 'churn' AND tags.team = 'ops'`, or the same as an object. */
  readonly filter?: FilterInput<typeof versionFields>;
  /** Default: the newest first. */
  readonly orderBy?: OrderInput<typeof versionFields>;
}

/**
 * Searches the versions of all models of the tenant that are not deleted, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function searchVersions(tx: TenantTx, input: SearchVersionsInput = {}): Promise<Page<ModelVersion>> {
  const tenant = tenantOf(tx);
  const filter = readFilter(versionFields, input.filter);
  const order = readOrder(versionOrder, input.orderBy);
  return await page({ tenant, list: ['registry.versions'], filter, order, page: input }, (query) =>
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

const ListVersionsName = z.object({ name: modelName });

export interface ListVersionsInput extends PageInput {
  readonly name: string;
}

/** The versions of a model that are not deleted, the last registered first, by pages; none where there is no model. */
export async function listVersions(tx: TenantTx, input: ListVersionsInput): Promise<Page<ModelVersion>> {
  const { name } = parseInput(ListVersionsName, input);
  const tenant = tenantOf(tx);
  return await page(
    { tenant, list: ['registry.versionsOfModel', name], order: registrationOrder, page: input },
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
