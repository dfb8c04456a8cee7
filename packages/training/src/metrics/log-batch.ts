import { createHash } from 'node:crypto';
import { DomainError, oncePerKey, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { fencingToken, idempotencyKey, key, recordOf, runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { runNotFound } from '../not-found.ts';
import { runDeleted, runLeaseLost } from '../runs/lock-run.ts';
import { metricGoals, trainingRuns } from '../schema.ts';
import { arrangePoints } from './arrange-points.ts';
import { PairsInput, readParams, readTags } from './read-pairs.ts';
import { type MetricPointInput, type PointColumns, readPoints } from './read-points.ts';
import { type Batch, type BatchVerdict, storeBatch } from './store-batch.ts';

export const LogBatchInput = z.strictObject({
  runId,
  fencingToken,
  /** In any order; what is stored already, or comes twice, is one point. Each is checked as MetricPointInput says. */
  points: z.custom<readonly MetricPointInput[]>(Array.isArray, 'must be a list of points').optional(),
  /** A param that was logged is never changed: the same value again is fine, another is `conflict`. */
  params: PairsInput.optional(),
  /** A tag takes the place of the one before; of two in one list the last stays. */
  tags: PairsInput.optional(),
  /** Which way is better, by metric key: from then on the key has a best. */
  goals: recordOf(z.record(key, z.enum(metricGoals)), TRAINING_LIMITS.metricKeys).optional(),
  /** One for each batch that the client wants stored: points without a time get another one when they are sent again. */
  idempotencyKey,
});
export type LogBatchInput = Readonly<z.input<typeof LogBatchInput>>;

export interface LoggedBatch {
  /** Points that were not stored before. */
  readonly newPoints: number;
}

/**
 * Stores points, params, tags and goals of a run, all of them or nothing, and keeps the latest, smallest, largest and best
 * value of each key.
 *
 * One round trip, two more with an idempotency key, and one more where only some of the points bear a time. Locks the run's
 * row until the transaction ends, so that writers of one run take turns; log to several runs in one transaction in the
 * order of their ids.
 *
 * @throws DomainError `invalid_input` for the first bad point, naming its index, for a param that is given twice, and
 *   beyond the limits; `not_found` without the run, `failed_precondition` where it is deleted; `conflict` where a param has
 *   another value already (`details.reason` is `param_changed`), where the fencing token is not the run's present one
 *   (isLeaseLost), and where the idempotency key came with another batch before.
 */
export async function logBatch(tx: TenantTx, input: LogBatchInput): Promise<LoggedBatch> {
  const { idempotencyKey: once, ...given } = parseInput(LogBatchInput, input);
  const points = readPoints(withinLimit(given.points ?? []));
  const batch = {
    runId: given.runId,
    fencingToken: given.fencingToken ?? 0,
    goals: new Map(Object.entries(given.goals ?? {})),
    params: readParams(given.params),
    tags: readTags(given.tags),
  };
  const work = async () => await store(tx, batch, points);
  if (once === undefined) return await work();
  const request = { runId: given.runId, points: digestOf(points), ...asJson(batch) };
  return await oncePerKey(tx, { scope: 'training.logBatch', key: once, request }, work);
}

function withinLimit(points: readonly MetricPointInput[]): readonly MetricPointInput[] {
  const limit = TRAINING_LIMITS.pointsAtOnce;
  if (points.length <= limit) return points;
  throw new DomainError('invalid_input', `points must have at most ${limit} items, not ${points.length}.`, {
    details: { field: 'points', limit, got: points.length },
  });
}

async function store(tx: TenantTx, batch: Omit<Batch, 'points'>, points: PointColumns): Promise<LoggedBatch> {
  // Some bear a time and some do not: only the server knows how they lie, so it is asked first.
  const mixed = points.timed > 0 && points.timed < points.count;
  const arranged = arrangePoints(mixed ? await timedNow(tx, points) : points);
  // In one flight. Two statements, because one that waited for the lock would go on with what it saw before.
  const [, verdict] = await Promise.all([lock(tx, batch.runId), storeBatch(tx, { ...batch, points: arranged })]);
  if (verdict === undefined) throw runNotFound();
  refuse(verdict, batch);
  return { newPoints: verdict.new_points };
}

/** Async like storeBatch: a query of Drizzle's alone is sent when it is awaited, which would be behind storeBatch. */
async function lock(tx: TenantTx, id: string): Promise<void> {
  await tx.execute(sql`
    select from ${trainingRuns} where tenant_id = ${tenantOf(tx)} and id = ${id}::uuid for no key update`);
}

async function timedNow(tx: TenantTx, points: PointColumns): Promise<PointColumns> {
  const [clock] = await tx.execute<{ now: number }>(sql`
    select (extract(epoch from app_now()) * 1000)::float8 as now`);
  const now = clock?.now ?? Number.NaN;
  return { ...points, times: points.times.map((time) => (Number.isNaN(time) ? now : time)) };
}

/** Says what speaks against the batch, as the statement found it. Nothing was written then. */
function refuse(verdict: BatchVerdict, { params }: Pick<Batch, 'params'>): void {
  if (verdict.deleted) throw runDeleted();
  if (verdict.lease_lost) throw runLeaseLost();
  const index = verdict.conflicting_param;
  if (index !== null) {
    throw new DomainError(
      'conflict',
      `Param ${index} of ${params.size} was logged with another value before, and params are never changed: start another run, or log what changes as a tag or a metric. Nothing of this batch was stored.`,
      { details: { reason: 'param_changed', field: 'params', index } },
    );
  }
  const limit = TRAINING_LIMITS.metricKeys;
  if (verdict.key_count > limit) {
    throw new DomainError(
      'invalid_input',
      `A run may have at most ${limit} metric keys, not ${verdict.key_count}. Nothing of this batch was stored.`,
      { details: { field: 'points', limit, got: verdict.key_count } },
    );
  }
}

/** The columns and not the points as JSON, which for 100,000 takes a second and has no NaN. */
function digestOf({ keys, keyIndexes, steps, times, values }: PointColumns): string {
  const hash = createHash('sha256').update(JSON.stringify(keys));
  for (const column of [keyIndexes, steps, times, values]) hash.update(column);
  return hash.digest('hex');
}

const asJson = ({ params, tags, goals }: Pick<Batch, 'params' | 'tags' | 'goals'>) => ({
  params: Object.fromEntries(params),
  tags: Object.fromEntries(tags),
  goals: Object.fromEntries(goals),
});
