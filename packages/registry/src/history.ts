import {
  defineFilterFields,
  defineList,
  defineOrder,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  toId,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
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
const transitionList = defineList({
  name: 'registry.transitions',
  from: modelStageTransitions,
  columns: getTableColumns(modelStageTransitions),
  order: defineOrder({
    fields: transitionFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: transitionFields.fields.versionId,
  }),
});

/**
 * The changes of stage of a model's versions, the last first, by pages. Rows of one change share their changeNumber. One
 * statement, no lock. Empty where there is no such model.
 */
export async function listStageTransitions(
  tx: TenantTx,
  input: ListStageTransitionsInput,
): Promise<Page<StageTransition>> {
  const { version, ...given } = parseInput(ListStageTransitionsInput, input);
  const ofVersion = version === undefined ? undefined : eq(modelStageTransitions.version, version);
  return await readPage(tx, transitionList, historyOf(tx, modelStageTransitions.modelId, given, ofVersion, version));
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
const moveList = defineList({
  name: 'registry.aliasMoves',
  from: modelAliasMoves,
  columns: getTableColumns(modelAliasMoves),
  order: defineOrder({
    fields: moveFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: moveFields.fields.alias,
  }),
});

/** The changes of a model's aliases, the last first, by pages; otherwise as listStageTransitions. */
export async function listAliasMoves(tx: TenantTx, input: ListAliasMovesInput): Promise<Page<AliasMoveRow>> {
  const { alias, ...given } = parseInput(ListAliasMovesInput, input);
  const ofAlias = alias === undefined ? undefined : eq(modelAliasMoves.alias, alias);
  return await readPage(tx, moveList, historyOf(tx, modelAliasMoves.modelId, given, ofAlias, alias));
}

export const ListModelChangesInput = z
  .strictObject({ ...modelSubject, ...PageInput.shape })
  .refine(oneSubject, ONE_SUBJECT);
export type ListModelChangesInput = Readonly<z.input<typeof ListModelChangesInput>>;

const changeFields = defineFilterFields({ changeNumber: numberField(modelChanges.changeNumber) });
const changeList = defineList({
  name: 'registry.modelChanges',
  from: modelChanges,
  columns: getTableColumns(modelChanges),
  order: defineOrder({
    fields: changeFields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: changeFields.fields.changeNumber,
  }),
});

/**
 * A model's creation, deletions and restorations, the guards that were set and removed, and the versions of it that were
 * redacted or erased, the last first, by pages; otherwise as listStageTransitions.
 */
export async function listModelChanges(tx: TenantTx, input: ListModelChangesInput): Promise<Page<ModelChange>> {
  const given = parseInput(ListModelChangesInput, input);
  return await readPage(tx, changeList, historyOf(tx, modelChanges.modelId, given));
}

/** The page that is asked for of the rows of a subject's history, or of those of them that are `narrowed` to a value. */
function historyOf(
  tx: TenantTx,
  column: PgColumn,
  { limit, cursor, ...subject }: ModelSubject & PageInput,
  narrowed?: SQL,
  value?: string,
) {
  const condition = and(ofModel(tx, column, subject), narrowed);
  return { limit, cursor, within: { condition, of: [subject.name ?? null, subject.modelId ?? null, value ?? null] } };
}
