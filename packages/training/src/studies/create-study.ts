import { DomainError, newId, oncePerKey, parseInput, type TenantTx, timeParameter } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { idempotencyKey, jsonObject, leaseMs } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { Objectives } from '../samplers/objectives.ts';
import { gridSize } from '../samplers/sample-grid.ts';
import { SamplerOptions } from '../samplers/sampler-options.ts';
import { SearchSpace } from '../samplers/search-space.ts';
import { hyperparameterStudies } from '../schema.ts';
import { recordStudyEvent } from './change-study.ts';
import { PrunerOptions } from './pruner-options.ts';
import { asStudy, getStudy, type Study } from './studies.ts';
import { MAX_TRIALS, maxTrialsInput, ONE_TIME_BUDGET, oneTimeBudget, studyName, timeBudget } from './study-inputs.ts';

export const CreateStudyInput = z
  .strictObject({
    name: studyName,
    searchSpace: SearchSpace,
    /** Default: one, `value`, to be minimized. */
    objectives: Objectives.optional(),
    /** Default: TPE. */
    sampler: SamplerOptions.optional(),
    /** Of a study with one objective. Default: nothing is pruned. */
    pruner: PrunerOptions.nullish(),
    /** With a trial's number it gives the sampler's random numbers. Default: one drawn at random. */
    seed: z.int().optional(),
    /** Trials that the study has at most, those enqueued among them. Default: no limit. */
    maxTrials: maxTrialsInput.nullish(),
    ...timeBudget,
    /** Attempts that a trial whose worker was lost or that failed has, the first among them. Default 1. */
    maxAttempts: z.int().min(1).max(TRAINING_LIMITS.attempts).optional(),
    /** How long a trial's worker may be silent before the trial is taken from it. Default 60,000. */
    leaseMs: leaseMs.optional(),
    metadata: jsonObject.optional(),
    /** One for each study that the client wants: a repeated call with it gives the study of the first. */
    idempotencyKey,
  })
  .refine(oneTimeBudget, { error: ONE_TIME_BUDGET })
  .refine(({ searchSpace }) => JSON.stringify(searchSpace).length <= TRAINING_LIMITS.jsonLength, {
    path: ['searchSpace'],
    error: `must have at most ${TRAINING_LIMITS.jsonLength} characters as JSON`,
  })
  .refine((given) => given.pruner == null || (given.objectives?.length ?? 1) === 1, {
    path: ['pruner'],
    error: 'may be given only where there is one objective',
  });
export type CreateStudyInput = Readonly<z.input<typeof CreateStudyInput>>;

const DEFAULT_LEASE_MS = 60_000;

/**
 * Creates a study, ready to be asked for trials. Two round trips, no lock but the new row. Announces `study.created`.
 *
 * @throws DomainError `already_exists` where the name is taken, also by a deleted study that can be restored;
 *   `conflict` where the idempotency key came with other input before.
 */
export async function createStudy(tx: TenantTx, input: CreateStudyInput): Promise<Study> {
  const { idempotencyKey: key, ...given } = parseInput(CreateStudyInput, input);
  // Dates are no JSON.
  const request = { ...given, deadlineAt: given.deadlineAt?.toISOString() ?? null };
  let fresh: Study | undefined;
  const studyId = await oncePerKey(tx, { scope: 'training.createStudy', key, request }, async () => {
    fresh = await insertStudy(tx, given);
    return String(fresh.id);
  });
  return fresh ?? (await getStudy(tx, { studyId }));
}

async function insertStudy(
  tx: TenantTx,
  given: Omit<z.output<typeof CreateStudyInput>, 'idempotencyKey'>,
): Promise<Study> {
  const [made] = await tx
    .insert(hyperparameterStudies)
    .values({
      name: given.name,
      searchSpace: given.searchSpace,
      objectives: given.objectives ?? [{ name: 'value', direction: 'minimize' }],
      sampler: given.sampler ?? { kind: 'tpe' },
      pruner: given.pruner ?? null,
      seed: given.seed ?? randomSeed(),
      maxTrials: trialsOf(given),
      deadlineAt: deadlineOf(given) ?? null,
      maxAttempts: given.maxAttempts ?? 1,
      leaseMs: given.leaseMs ?? DEFAULT_LEASE_MS,
      metadata: given.metadata ?? {},
      lastChangeNumber: 1,
    })
    .onConflictDoNothing({ target: [hyperparameterStudies.tenantId, hyperparameterStudies.name] })
    .returning();
  if (made === undefined)
    throw new DomainError(
      'already_exists',
      'A study with this name exists already, perhaps a deleted one. Go on with it by findStudy, or choose another name.',
    );
  await recordStudyEvent(tx, { studyId: made.id, name: given.name, changeNumber: 1, kind: 'created' });
  return asStudy(made);
}

/** A grid has no more trials than cells. */
function trialsOf({ sampler, searchSpace, maxTrials }: z.output<typeof CreateStudyInput>): number | null {
  if (sampler?.kind !== 'grid') return maxTrials ?? null;
  return Math.min(gridSize(searchSpace, sampler), maxTrials ?? MAX_TRIALS);
}

/** What the column deadline_at is set to; undefined where the input does not say. */
export function deadlineOf(given: {
  readonly timeBudgetMs?: number | undefined;
  readonly deadlineAt?: Date | null | undefined;
}) {
  if (given.timeBudgetMs !== undefined) {
    return sql`app_now() + interval '1 millisecond' * ${given.timeBudgetMs}::float8`;
  }
  return given.deadlineAt instanceof Date ? timeParameter(given.deadlineAt) : given.deadlineAt;
}

/** Of 32 bits, so that people can write it down. */
const randomSeed = () => Number.parseInt(newId().slice(-8), 16);
