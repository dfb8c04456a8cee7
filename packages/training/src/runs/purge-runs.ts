import {
  type Database,
  type Id,
  isDomainError,
  parseInput,
  type TenantTx,
  tenantOf,
  timeParameter,
  withTenant,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { storableTime } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { trainingMetrics, trainingPurges, trainingRuns } from '../schema.ts';
import { producedLiveVersion } from './delete-run.ts';
import { recordRunEvents } from './record-run-event.ts';

export const PurgeRunsInput = z.strictObject({
  /** Runs that were deleted before this time. */
  deletedBefore: storableTime,
  /** Points that one transaction deletes. Default 10,000. */
  batchSize: z.int().min(1).max(TRAINING_LIMITS.purgeBatch).optional(),
  /** Ends after the transaction that runs. */
  signal: z.instanceof(AbortSignal).optional(),
  /** Hears of each run that is kept. */
  onKept: z.custom<(kept: KeptRun) => void>((value) => typeof value === 'function').optional(),
});
export type PurgeRunsInput = Readonly<z.input<typeof PurgeRunsInput>>;

/** A deleted run that stays because something refers to it. */
export interface KeptRun {
  readonly runId: Id<'Run'>;
  /** The table whose rows do. */
  readonly referredToBy: string;
}

export interface PurgedRuns {
  readonly runs: number;
  /** Points that went, also those of runs that an earlier call had purged. */
  readonly points: number;
  /** Runs that were kept, by the table that refers to them. */
  readonly kept: Readonly<Record<string, number>>;
}

/**
 * Deletes for good the runs that were deleted before a time, with all that was logged; their events stay. A run that
 * something refers to is kept whole and reported: a live version that it produced, a child run, a trial, whatever table a
 * later package or a service lets refer to it.
 *
 * Many small transactions, in flat memory. A run goes at once with all but its points, which follow in batches; a call
 * that ends in the middle leaves the rest to the next. Several at once share the work. Runs that a transaction holds are
 * passed over. Announces `run.purged` for each.
 */
export async function purgeRuns(db: Database, tenant: string, input: PurgeRunsInput): Promise<PurgedRuns> {
  const { deletedBefore, batchSize = 10_000, signal, onKept } = parseInput(PurgeRunsInput, input);
  const isOver = () => signal?.aborted === true;
  const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) => withTenant(db, tenant, work);
  const kept: Record<string, number> = {};
  let [runs, points] = [0, 0];

  const drainPoints = async () => {
    let place: PointsPlace | undefined;
    while (!isOver()) {
      const from = place;
      const batch = await inTenant((tx) => purgePoints(tx, batchSize, from));
      if (batch === undefined) return;
      points += batch.deleted;
      place = batch.next;
    }
  };

  await drainPoints();
  let after: Candidate | undefined;
  while (!isOver()) {
    const last = after;
    const outcome = await inTenant((tx) => purgeNextRun(tx, deletedBefore, last));
    if (outcome === undefined) break;
    after = outcome.run;
    if (outcome.referredToBy === undefined) {
      runs += 1;
      await drainPoints();
    } else {
      kept[outcome.referredToBy] = (kept[outcome.referredToBy] ?? 0) + 1;
      onKept?.({ runId: outcome.run.id, referredToBy: outcome.referredToBy });
    }
  }
  return { runs, points, kept };
}

interface Candidate extends Record<string, unknown> {
  readonly id: Id<'Run'>;
  readonly name: string;
  readonly group_name: string;
  readonly attempt: number;
  readonly change_number: number;
  readonly deleted_text: string;
  readonly is_origin: boolean;
}

interface Outcome {
  readonly run: Candidate;
  /** Undefined where the run went. */
  readonly referredToBy: string | undefined;
}

/** Takes the next deleted run after `last`; undefined where none is left. */
async function purgeNextRun(tx: TenantTx, before: Date, last: Candidate | undefined): Promise<Outcome | undefined> {
  const tenant = tenantOf(tx);
  const [run] = await tx.execute<Candidate>(sql`
    select id, name, group_name, attempt, (last_change_number + 1)::float8 as change_number,
           deleted_at::text as deleted_text, ${producedLiveVersion(tx, sql`training_runs.id`)} as is_origin
      from ${trainingRuns}
     where tenant_id = ${tenant} and deleted_at < ${timeParameter(before)}
       and ${last === undefined ? sql`true` : sql`(deleted_at, id) > (${last.deleted_text}::timestamptz, ${last.id}::uuid)`}
     order by deleted_at, id
     limit 1
       for update skip locked`);
  if (run === undefined) return undefined;
  if (run.is_origin) return { run, referredToBy: 'training_run_models' };
  const referredToBy = await deleteUnlessReferredTo(tx, run.id);
  if (referredToBy !== undefined) return { run, referredToBy };
  await Promise.all([
    tx.insert(trainingPurges).values({ runId: run.id }),
    recordRunEvents(tx, [
      {
        ...{ runId: run.id, name: run.name, group: run.group_name, attempt: run.attempt },
        ...{ changeNumber: run.change_number, kind: 'purged' },
      },
    ]),
  ]);
  return { run, referredToBy: undefined };
}

/** The table that refers to the run, where one does: known by trying, so that tables of later packages count too. */
async function deleteUnlessReferredTo(tx: TenantTx, id: Id<'Run'>): Promise<string | undefined> {
  try {
    await tx.transaction(async (savepoint) => {
      await savepoint.execute(sql`delete from ${trainingRuns} where tenant_id = ${tenantOf(tx)} and id = ${id}::uuid`);
    });
    return undefined;
  } catch (error) {
    if (!isDomainError(error, 'failed_precondition') || error.details['sqlState'] !== '23503') throw error;
    return String(error.details['table']);
  }
}

/** A point of a run, as the key of training_metrics has it. */
interface PointsPlace {
  readonly runId: string;
  readonly key: SQL;
}

interface PointsBatch extends Record<string, unknown> {
  readonly deleted: number;
  readonly key_id: number | null;
  readonly step: string | null;
  readonly at: string | null;
  readonly value: string | null;
}

/**
 * Deletes up to `limit` points of a purged run, in the order of their key from `place` on: the index still holds those
 * that went before, and each batch would read past all of them. Undefined where no points are left of any run.
 */
async function purgePoints(
  tx: TenantTx,
  limit: number,
  place: PointsPlace | undefined,
): Promise<{ readonly deleted: number; readonly next: PointsPlace | undefined } | undefined> {
  const tenant = tenantOf(tx);
  const [purge] = await tx.execute<{ run_id: string }>(sql`
    select run_id from ${trainingPurges}
     where tenant_id = ${tenant}
     order by run_id <> ${place?.runId ?? null}::uuid, run_id
     limit 1
       for update skip locked`);
  if (purge === undefined) return undefined;
  const runId = purge.run_id;
  const isSame = place?.runId === runId;
  const [batch] = await tx.execute<PointsBatch>(sql`
    with batch as materialized (
      select ctid as place, key_id, step, at, value
        from ${trainingMetrics}
       where tenant_id = ${tenant} and run_id = ${runId}::uuid
         and ${place !== undefined && isSame ? sql`(key_id, step, at, value) > ${place.key}` : sql`true`}
       order by key_id, step, at, value
       limit ${limit}
    ), gone as (
      delete from ${trainingMetrics} m
       where m.tenant_id = ${tenant} and m.run_id = ${runId}::uuid and m.ctid = any (array(select place from batch))
    )
    select (select count(*) from batch)::int as deleted, key_id, step::text, at::text, value::text
      from batch
     order by key_id desc, step desc, at desc, value desc
     limit 1`);
  const deleted = batch?.deleted ?? 0;
  if (batch === undefined || deleted < limit) {
    // What another call of this function passed in the middle is not left behind: without its place it reads all.
    if (!isSame) {
      await tx.execute(sql`delete from ${trainingPurges} where tenant_id = ${tenant} and run_id = ${runId}::uuid`);
    }
    return { deleted, next: undefined };
  }
  const { key_id: keyId, step, at, value } = batch;
  const key = sql`(${keyId}::int, ${step}::bigint, ${at}::timestamptz, ${value}::float8)`;
  return { deleted, next: { runId, key } };
}
