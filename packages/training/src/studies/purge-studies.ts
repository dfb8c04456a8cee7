import { type Database, parseInput, type TenantTx, tenantOf, timeParameter, withTenant } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { storableTime } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import {
  hyperparameterStudies,
  hyperparameterTrialRungs,
  hyperparameterTrials,
  hyperparameterTrialValues,
} from '../schema.ts';
import { recordStudyEvent } from './change-study.ts';

export const PurgeStudiesInput = z.strictObject({
  /** Studies that were deleted before this time. */
  deletedBefore: storableTime,
  /** Rows that one transaction deletes. Default 10,000. */
  batchSize: z.int().min(1).max(TRAINING_LIMITS.purgeBatch).optional(),
  /** Ends after the transaction that runs. */
  signal: z.instanceof(AbortSignal).optional(),
});
export type PurgeStudiesInput = Readonly<z.input<typeof PurgeStudiesInput>>;

export interface PurgedStudies {
  readonly studies: number;
  readonly trials: number;
  /** Values that trials had reported. */
  readonly values: number;
}

/**
 * Deletes for good the studies that were deleted before a time, with their trials and what those reported; their events
 * stay, and the runs of their trials.
 *
 * Many small transactions, in flat memory. A call that ends in the middle leaves the rest to the next; several at once
 * share the work, and studies that a transaction holds are passed over. A study whose purge has begun can be restored
 * with what is left of it. Announces `study.purged` for each.
 */
export async function purgeStudies(db: Database, tenant: string, input: PurgeStudiesInput): Promise<PurgedStudies> {
  const { deletedBefore, batchSize = 10_000, signal } = parseInput(PurgeStudiesInput, input);
  const purged = { studies: 0, trials: 0, values: 0 };
  while (signal?.aborted !== true) {
    const batch = await withTenant(db, tenant, (tx) => purgeBatch(tx, deletedBefore, batchSize));
    if (batch === undefined) break;
    purged[batch.of] += batch.count;
  }
  return purged;
}

interface Batch {
  readonly of: keyof PurgedStudies;
  readonly count: number;
}

/** One batch of one study: values before trials, and itself last. Undefined where no study is left. */
async function purgeBatch(tx: TenantTx, before: Date, batchSize: number): Promise<Batch | undefined> {
  const tenant = tenantOf(tx);
  const [study] = await tx.execute<{ id: string; name: string; change_number: number }>(sql`
    select id, name, (last_change_number + 1)::float8 as change_number
      from ${hyperparameterStudies}
     where tenant_id = ${tenant} and deleted_at < ${timeParameter(before)}
     order by deleted_at, id
     limit 1
       for update skip locked`);
  if (study === undefined) return undefined;
  const ofStudy = sql`tenant_id = ${tenant} and study_id = ${study.id}`;
  const values = await deleteSome(tx, hyperparameterTrialValues, 'trial_id, attempt, step', ofStudy, batchSize);
  if (values > 0) return { of: 'values', count: values };
  await deleteSome(tx, hyperparameterTrialRungs, 'trial_id, rung', ofStudy, batchSize);
  const trials = await deleteSome(tx, hyperparameterTrials, 'id', ofStudy, batchSize);
  if (trials > 0) return { of: 'trials', count: trials };
  await Promise.all([
    tx.execute(sql`delete from ${hyperparameterStudies} where tenant_id = ${tenant} and id = ${study.id}`),
    recordStudyEvent(tx, {
      studyId: study.id,
      name: study.name,
      changeNumber: study.change_number,
      kind: 'purged',
    }),
  ]);
  return { of: 'studies', count: 1 };
}

/** Deletes up to `limit` rows, by their key; how many went. */
async function deleteSome(
  tx: TenantTx,
  table: typeof hyperparameterTrials | typeof hyperparameterTrialValues | typeof hyperparameterTrialRungs,
  key: string,
  ofStudy: SQL,
  limit: number,
): Promise<number> {
  const columns = sql.raw(key);
  const deleted = await tx.execute<{ count: number }>(sql`
    with gone as (
      delete from ${table}
       where ${ofStudy} and (${columns}) in (
               select ${columns} from ${table} where ${ofStudy} limit ${limit})
      returning 1
    )
    select count(*)::int as count from gone`);
  return deleted[0]?.count ?? 0;
}
