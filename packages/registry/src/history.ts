import {
  defineFilterFields,
  defineOrder,
  numberField,
  type Page,
  PageInput,
  page,
  parseInput,
  readOrder,
  type TenantTx,
  tenantOf,
  textField,
  toId,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { aliasName, modelName, versionName } from './field-inputs.ts';
import { modelAliasMoves, modelChanges, modelRenames, modelStageTransitions, registeredModels } from './schema.ts';

/** A row of model_stage_transitions: fromStage null for a registration or restoration, toStage null for a deletion. */
export type StageTransition = Readonly<typeof modelStageTransitions.$inferSelect>;

/** A row of model_alias_moves: no `from` where the alias was new, no `to` where it was removed. */
export type AliasMoveRow = Readonly<typeof modelAliasMoves.$inferSelect>;

/** A row of model_changes: what befell a model beside the moves of stages and aliases and renames. */
export type ModelChange = Readonly<typeof modelChanges.$inferSelect>;

/**
 * A model by its id, which leads to its history also after it was deleted for good, or by name: the model that bears it,
 * and where none does, the last that bore it before a rename.
 */
export const modelSubject = {
  name: modelName.optional(),
  modelId: z.uuid().optional(),
};
export interface ModelSubject {
  readonly name?: string | undefined;
  readonly modelId?: string | undefined;
}

/** The condition that a history row belongs to the subject. The history goes by id; a name is looked up in the same statement. */
export function ofModel(tx: TenantTx, column: PgColumn, { name, modelId }: ModelSubject): SQL {
  if (modelId !== undefined) return eq(column, toId(modelId, 'modelId'));
  return sql`${column} = coalesce(
    (select m.id from ${registeredModels} m
      where m.tenant_id = ${tenantOf(tx)} and m.name = ${name} and m.deleted_at is null),
    (select r.model_id from ${modelRenames} r
      where r.tenant_id = ${tenantOf(tx)} and r.from_name = ${name}
      order by r.occurred_at desc, r.change_number desc limit 1))`;
}

export const oneSubject = ({ name, modelId }: ModelSubject) => (name === undefined) !== (modelId === undefined);
export const ONE_SUBJECT = 'must name the model by either name or modelId';

export const ListStageTransitionsInput = z
  .strictObject({
    ...modelSubject,
    ...PageInput.shape,
    /** Those of this version only. */
    version: versionName.optional(),
  })
  .refine(oneSubject, ONE_SUBJECT);
export type ListStageTransitionsInput = Readonly<z.input<typeof ListStageTransitionsInput>>;

const transitionFields = defineFilterFields({
  changeNumber: numberField(modelStageTransitions.changeNumber),
  versionId: uuidField(modelStageTransitions.versionId),
});
const transitionOrder = readOrder(
  defineOrder({
    fields: transitionFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: transitionFields.fields.versionId,
  }),
  undefined,
);

/**
 * The changes of stage of a model's versions, the last first, by pages. Rows of one change share their changeNumber. One
 * statement, no lock. Empty where there is no such model.
 */
export async function listStageTransitions(
  tx: TenantTx,
  input: ListStageTransitionsInput,
): Promise<Page<StageTransition>> {
  const { version, limit, cursor, ...subject } = parseInput(ListStageTransitionsInput, input);
  const tenant = tenantOf(tx);
  const list = ['registry.transitions', subject.name ?? null, subject.modelId ?? null, version ?? null];
  return await page({ tenant, list, order: transitionOrder, page: { limit, cursor } }, (query) =>
    tx
      .select({ item: modelStageTransitions, key: query.key })
      .from(modelStageTransitions)
      .where(
        and(
          eq(modelStageTransitions.tenantId, tenant),
          ofModel(tx, modelStageTransitions.modelId, subject),
          version === undefined ? undefined : eq(modelStageTransitions.version, version),
          query.after,
        ),
      )
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}

export const ListAliasMovesInput = z
  .strictObject({
    ...modelSubject,
    ...PageInput.shape,
    /** Those of this alias only. */
    alias: aliasName.optional(),
  })
  .refine(oneSubject, ONE_SUBJECT);
export type ListAliasMovesInput = Readonly<z.input<typeof ListAliasMovesInput>>;

const moveFields = defineFilterFields({
  changeNumber: numberField(modelAliasMoves.changeNumber),
  alias: textField(modelAliasMoves.alias),
});
const moveOrder = readOrder(
  defineOrder({
    fields: moveFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: moveFields.fields.alias,
  }),
  undefined,
);

/** The changes of a model's aliases, the last first, by pages; otherwise as listStageTransitions. */
export async function listAliasMoves(tx: TenantTx, input: ListAliasMovesInput): Promise<Page<AliasMoveRow>> {
  const { alias, limit, cursor, ...subject } = parseInput(ListAliasMovesInput, input);
  const tenant = tenantOf(tx);
  const list = ['registry.aliasMoves', subject.name ?? null, subject.modelId ?? null, alias ?? null];
  return await page({ tenant, list, order: moveOrder, page: { limit, cursor } }, (query) =>
    tx
      .select({ item: modelAliasMoves, key: query.key })
      .from(modelAliasMoves)
      .where(
        and(
          eq(modelAliasMoves.tenantId, tenant),
          ofModel(tx, modelAliasMoves.modelId, subject),
          alias === undefined ? undefined : eq(modelAliasMoves.alias, alias),
          query.after,
        ),
      )
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}

export const ListModelChangesInput = z
  .strictObject({ ...modelSubject, ...PageInput.shape })
  .refine(oneSubject, ONE_SUBJECT);
export type ListModelChangesInput = Readonly<z.input<typeof ListModelChangesInput>>;

const changeFields = defineFilterFields({ changeNumber: numberField(modelChanges.changeNumber) });
const changeOrder = readOrder(
  defineOrder({
    fields: changeFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: changeFields.fields.changeNumber,
  }),
  undefined,
);

/**
 * A model's creation, deletions and restorations, the guards that were set and removed, and the versions of it that were
 * redacted or erased, the last first, by pages; otherwise as listStageTransitions.
 */
export async function listModelChanges(tx: TenantTx, input: ListModelChangesInput): Promise<Page<ModelChange>> {
  const { limit, cursor, ...subject } = parseInput(ListModelChangesInput, input);
  const tenant = tenantOf(tx);
  const list = ['registry.modelChanges', subject.name ?? null, subject.modelId ?? null];
  return await page({ tenant, list, order: changeOrder, page: { limit, cursor } }, (query) =>
    tx
      .select({ item: modelChanges, key: query.key })
      .from(modelChanges)
      .where(and(eq(modelChanges.tenantId, tenant), ofModel(tx, modelChanges.modelId, subject), query.after))
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}
