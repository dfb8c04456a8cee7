import {
  defineFilterFields,
  defineOrder,
  numberField,
  type Page,
  type PageInput,
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
import { modelAliasMoves, modelStageTransitions, registeredModels } from './schema.ts';

/** A row of model_stage_transitions: fromStage null for a registration or restoration, toStage null for a deletion. */
export type StageTransition = Readonly<typeof modelStageTransitions.$inferSelect>;

/** A row of model_alias_moves: no `from` where the alias was new, no `to` where it was removed. */
export type AliasMoveRow = Readonly<typeof modelAliasMoves.$inferSelect>;

/** A model by its name of today, or by its id, which leads to its history also after it was deleted for good. */
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
  return sql`${column} = (select m.id from ${registeredModels} m
    where m.tenant_id = ${tenantOf(tx)} and m.name = ${name} and m.deleted_at is null)`;
}

export const oneSubject = ({ name, modelId }: ModelSubject) => (name === undefined) !== (modelId === undefined);
export const ONE_SUBJECT = 'must name the model by either name or modelId';

const TransitionsOf = z.object({ ...modelSubject, version: versionName.optional() }).refine(oneSubject, ONE_SUBJECT);

export interface ListStageTransitionsInput extends ModelSubject, PageInput {
  /** Those of this version only. */
  readonly version?: string;
}

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
  const { version, ...subject } = parseInput(TransitionsOf, input);
  const tenant = tenantOf(tx);
  const list = ['registry.transitions', subject.name ?? null, subject.modelId ?? null, version ?? null];
  return await page({ tenant, list, order: transitionOrder, page: input }, (query) =>
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

const MovesOf = z.object({ ...modelSubject, alias: aliasName.optional() }).refine(oneSubject, ONE_SUBJECT);

export interface ListAliasMovesInput extends ModelSubject, PageInput {
  /** Those of this alias only. */
  readonly alias?: string;
}

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
  const { alias, ...subject } = parseInput(MovesOf, input);
  const tenant = tenantOf(tx);
  const list = ['registry.aliasMoves', subject.name ?? null, subject.modelId ?? null, alias ?? null];
  return await page({ tenant, list, order: moveOrder, page: input }, (query) =>
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
