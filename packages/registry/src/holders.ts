import { parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { and, asc, desc, eq, lte, sql } from 'drizzle-orm';
import { z } from 'zod';
import { aliasName, stageName } from './field-inputs.ts';
import { modelSubject, ONE_SUBJECT, ofModel, oneSubject } from './history.ts';
import { modelAliasMoves, modelStageTransitions } from './schema.ts';

/** A version that held an alias or stage, and since when. */
export interface Holder {
  readonly versionId: string;
  readonly version: string;
  readonly since: Date;
}

export const FindAliasHolderInput = z
  .strictObject({ ...modelSubject, alias: aliasName, at: z.date() })
  .refine(oneSubject, ONE_SUBJECT);
export type FindAliasHolderInput = Readonly<z.input<typeof FindAliasHolderInput>>;

/**
 * The version that an alias pointed to at a time, that moment's changes included; undefined where it pointed nowhere.
 * From the history: deletions and renames since then change nothing. One statement, no lock.
 */
export async function findAliasHolder(tx: TenantTx, input: FindAliasHolderInput): Promise<Holder | undefined> {
  const { alias, at, ...subject } = parseInput(FindAliasHolderInput, input);
  const [last] = await tx
    .select({
      versionId: modelAliasMoves.toVersionId,
      version: modelAliasMoves.toVersion,
      since: modelAliasMoves.occurredAt,
    })
    .from(modelAliasMoves)
    .where(
      and(
        eq(modelAliasMoves.tenantId, tenantOf(tx)),
        ofModel(tx, modelAliasMoves.modelId, subject),
        eq(modelAliasMoves.alias, alias),
        lte(modelAliasMoves.occurredAt, at),
      ),
    )
    .orderBy(desc(modelAliasMoves.changeNumber))
    .limit(1);
  if (last === undefined || last.versionId === null || last.version === null) return undefined;
  return { versionId: last.versionId, version: last.version, since: last.since };
}

export const ListStageHoldersInput = z
  .strictObject({ ...modelSubject, stage: stageName, at: z.date() })
  .refine(oneSubject, ONE_SUBJECT);
export type ListStageHoldersInput = Readonly<z.input<typeof ListStageHoldersInput>>;

/**
 * All versions that were in a stage at a time, in the order in which they entered it; as findAliasHolder otherwise. A
 * version that was inserted by hand is known from its first move on.
 */
export async function listStageHolders(tx: TenantTx, input: ListStageHoldersInput): Promise<readonly Holder[]> {
  const { stage, at, ...subject } = parseInput(ListStageHoldersInput, input);
  const tenant = tenantOf(tx);
  const { modelId, versionId, version, changeNumber, occurredAt, toStage, tenantId } = modelStageTransitions;
  return await tx
    .select({ versionId, version, since: occurredAt })
    .from(modelStageTransitions)
    .where(
      and(
        eq(tenantId, tenant),
        ofModel(tx, modelId, subject),
        eq(toStage, stage),
        lte(occurredAt, at),
        sql`not exists (
          select from ${modelStageTransitions} later
           where later.tenant_id = ${tenant} and later.version_id = ${versionId}
             and later.change_number > ${changeNumber} and later.occurred_at <= ${timeParameter(at)})`,
      ),
    )
    .orderBy(asc(changeNumber), asc(versionId));
}
