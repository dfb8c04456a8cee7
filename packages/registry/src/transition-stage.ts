import { DomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, reasonText, stageName, versionName } from './field-inputs.ts';
import { refuseIllegalMove } from './legal-moves.ts';
import { type LockedModel, lockModel } from './model-lock.ts';
import { versionNotFound } from './not-found.ts';
import { type ModelStage, modelRegistry } from './schema.ts';
import { takeClearances } from './stage-guards.ts';
import { applyStageMoves, type StageMove } from './stage-moves.ts';
import { liveVersion } from './versions.ts';

export const TransitionStageInput = z
  .strictObject({
    name: modelName,
    version: versionName,
    /** In any case. */
    stage: stageName,
    reason: reasonText.optional(),
    /** The stage that the version must be in before the change. */
    expectedStage: stageName.optional(),
    /** Whether the other versions in the target stage are archived. Default: where that is production. */
    archiveOthers: z.boolean().optional(),
  })
  .refine((input) => input.archiveOthers !== true || archivesOthers.includes(input.stage), {
    path: ['archiveOthers'],
    error: 'may be true only where the target is staging or production',
  });
export type TransitionStageInput = Readonly<z.input<typeof TransitionStageInput>>;

const archivesOthers: readonly ModelStage[] = ['staging', 'production'];

/** A change of stages: the moves that were made, the requested one first. */
export interface StageChange {
  /** Undefined where everything was in its place already and nothing was written. */
  readonly changeNumber: number | undefined;
  readonly moves: readonly StageMove[];
}

/**
 * Moves a version to another stage, and archives the others that are there: by default on promotion to production.
 *
 * Under the lock of the model, so that of promotions at the same time one is in production in the end; four round trips.
 * Where a guard stands on the target stage, an unused clearance of each guard is used up. Writes
 * model_stage_transitions and announces `model_version.stage_changed` for each version that moved. A version that is in
 * the stage already stays there without an entry.
 *
 * @throws DomainError `not_found` without the version; `conflict` where `expectedStage` is given and not where it is;
 *   `failed_precondition` for a move that is not legal (see legalMoves) or not cleared.
 */
export async function transitionStage(tx: TenantTx, input: TransitionStageInput): Promise<StageChange> {
  const given = parseInput(TransitionStageInput, input);
  const toStage = given.stage;
  const model = await lockModel(tx, given.name);
  const present = await readVersionAndHolders(tx, model, given.version, toStage);
  const version = present.find((row) => row.version === given.version);
  if (version === undefined) throw versionNotFound();
  if (given.expectedStage !== undefined && given.expectedStage !== version.stage) {
    throw new DomainError('conflict', `The version is in ${version.stage}, not in ${given.expectedStage}.`, {
      details: { field: 'expectedStage', stage: version.stage },
    });
  }
  refuseIllegalMove(version.stage, toStage);

  const moves: StageMove[] = [];
  const move = (row: Present, to: ModelStage) =>
    moves.push({ versionId: row.id, version: row.version, fromStage: row.stage, toStage: to });
  if (version.stage !== toStage) {
    await takeClearances(tx, model, version.id, toStage);
    move(version, toStage);
  }
  if (given.archiveOthers ?? toStage === 'production') {
    for (const row of present) if (row !== version) move(row, 'archived');
  }
  if (moves.length === 0) return { changeNumber: undefined, moves };
  await applyStageMoves(tx, model, moves, { reason: given.reason });
  return { changeNumber: model.changeNumber, moves };
}

interface Present extends Record<string, unknown> {
  readonly id: string;
  readonly version: string;
  readonly stage: ModelStage;
}

/** The version, and those in the target stage. */
async function readVersionAndHolders(
  tx: TenantTx,
  model: LockedModel,
  version: string,
  toStage: ModelStage,
): Promise<readonly Present[]> {
  const tenant = tenantOf(tx);
  return await tx.execute<Present>(sql`
    select id, version, stage from ${modelRegistry} where ${liveVersion(tx, model.name, version)}
    union
    select v.id, v.version, v.stage from ${modelRegistry} v
     where v.tenant_id = ${tenant} and v.name = ${model.name} and v.stage = ${toStage} and v.deleted_at is null
     order by id`);
}
