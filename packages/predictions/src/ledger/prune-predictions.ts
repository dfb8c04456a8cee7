import {
  type Database,
  idFloor,
  parseInput,
  type TenantTx,
  tenantOf,
  timeParameter,
  uuidArray,
  withTenant,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import {
  predictionLabelHistory,
  predictionLabels,
  predictionLedgers,
  predictionModels,
  predictions,
} from './schema.ts';

export const PrunePredictionsInput = z.strictObject({
  /** Deletes predictions of times before. */
  predictionsBefore: z.date().optional(),
  /** Deletes labels that were observed before, and what is in their history from before. */
  labelsBefore: z.date().optional(),
  /** Of these, only the predictions of one version, which may be deleted. No labels. */
  versionId: z.uuid().optional(),
  /** Of these, only predictions and labels of one model, which may be deleted. */
  modelId: z.uuid().optional(),
  /** Rows of one transaction. Default 5,000. */
  batchSize: z.int().min(1).max(PREDICTION_LIMITS.pruneBatch).optional(),
});
export type PrunePredictionsInput = Readonly<z.input<typeof PrunePredictionsInput>>;

export interface PrunedPredictions {
  readonly predictions: number;
  readonly labels: number;
  /** Rows of the history of labels. */
  readonly replacedLabels: number;
  /** Versions that have no predictions left, and can be erased. */
  readonly ledgers: number;
  /** Models that have neither predictions nor labels left, and can be erased. */
  readonly models: number;
}

export interface PrunePredictionsOptions {
  /** Ends it after the transaction that runs. */
  readonly signal?: AbortSignal;
  /** What `app_now()` answers in its transactions. Default: the database's clock. */
  readonly now?: () => Date;
}

/**
 * Deletes what a tenant keeps no longer, in small transactions and as often as it takes: a tenant's rule that is shorter
 * than that of the deployment, which drops months for all; or all of a version or model that is to be erased, by times in the
 * future. Ledgers without predictions go too, of all versions; whoever records in one at that time keeps it. May be ended at
 * any point by `signal` and run again.
 */
export async function prunePredictions(
  db: Database,
  tenant: string,
  input: PrunePredictionsInput,
  options: PrunePredictionsOptions = {},
): Promise<PrunedPredictions> {
  const { predictionsBefore, labelsBefore, batchSize = 5_000, ...scope } = parseInput(PrunePredictionsInput, input);
  const drain = async (batch: (tx: TenantTx) => Promise<number>): Promise<number> => {
    for (let total = 0; ; ) {
      if (options.signal?.aborted === true) return total;
      const deleted = await withTenant(db, tenant, batch, options.now === undefined ? {} : { now: options.now() });
      total += deleted;
      if (deleted < batchSize) return total;
    }
  };
  const gone =
    predictionsBefore === undefined
      ? 0
      : await drain((tx) => deletePredictions(tx, predictionsBefore, scope, batchSize));
  const before = scope.versionId === undefined ? labelsBefore : undefined;
  const labelsOf = async (table: typeof predictionLabels | typeof predictionLabelHistory) =>
    before === undefined ? 0 : await drain((tx) => deleteLabels(tx, table, before, scope, batchSize));
  const labels = await labelsOf(predictionLabels);
  const replacedLabels = await labelsOf(predictionLabelHistory);
  const ledgers = await drain((tx) => deleteUnused(tx, batchSize, ledgerRows));
  const models = await drain((tx) => deleteUnused(tx, batchSize, modelRows));
  return { predictions: gone, labels, replacedLabels, ledgers, models };
}

interface Scope {
  readonly versionId?: string | undefined;
  readonly modelId?: string | undefined;
}

async function deletePredictions(tx: TenantTx, before: Date, { versionId, modelId }: Scope, limit: number) {
  const tenant = tenantOf(tx);
  const ofVersion = versionId === undefined ? sql`` : sql`and model_version_id = ${versionId}::uuid`;
  const ofModel =
    modelId === undefined
      ? sql``
      : sql`and model_version_id = any (array(
              select model_version_id from ${predictionLedgers}
               where tenant_id = ${tenant} and model_id = ${modelId}::uuid))`;
  const rows = await tx.execute(sql`
    delete from ${predictions}
     where tenant_id = ${tenant} and id < ${idFloor(before)}::uuid
       and id = any (array(select id from ${predictions}
                            where tenant_id = ${tenant} and id < ${idFloor(before)}::uuid ${ofVersion} ${ofModel}
                            order by id
                            limit ${limit}))
    returning 1`);
  return rows.length;
}

async function deleteLabels(
  tx: TenantTx,
  table: typeof predictionLabels | typeof predictionLabelHistory,
  before: Date,
  { modelId }: Scope,
  limit: number,
) {
  const tenant = tenantOf(tx);
  const ofModel = modelId === undefined ? sql`` : sql`and model_id = ${modelId}::uuid`;
  const rows = await tx.execute(sql`
    delete from ${table}
     where tenant_id = ${tenant} and observed_at < ${timeParameter(before)}
       and ctid = any (array(select ctid from ${table}
                              where tenant_id = ${tenant} and observed_at < ${timeParameter(before)} ${ofModel}
                              order by model_id, subject
                              limit ${limit}))
    returning 1`);
  return rows.length;
}

interface Rows {
  readonly table: typeof predictionLedgers | typeof predictionModels;
  readonly key: SQL;
  readonly isUnused: (tx: TenantTx) => SQL;
}

const absent = (tx: TenantTx, table: SQL, condition: SQL) =>
  sql`not exists (select from ${table} x where x.tenant_id = ${tenantOf(tx)} and ${condition})`;

const ledgerRows: Rows = {
  table: predictionLedgers,
  key: sql`model_version_id`,
  // One that marks days is somebody's who watches it, and would be made anew without.
  isUnused: (tx) =>
    sql`not r.marks_days and ${absent(tx, sql`${predictions}`, sql`x.model_version_id = r.model_version_id`)}`,
};

const modelRows: Rows = {
  table: predictionModels,
  key: sql`model_id`,
  isUnused: (tx) =>
    sql.join(
      [predictionLedgers, predictionLabels, predictionLabelHistory].map((table) =>
        absent(tx, sql`${table}`, sql`x.model_id = r.model_id`),
      ),
      sql` and `,
    ),
};

/**
 * The rows are locked first, then looked at by a later statement: whoever recorded under them meanwhile held them FOR KEY
 * SHARE, so they are passed over, or has committed what that statement sees. Others wait for the lock and make the row anew.
 */
async function deleteUnused(tx: TenantTx, limit: number, { table, key, isUnused }: Rows): Promise<number> {
  const tenant = tenantOf(tx);
  const locked = await tx.execute<{ id: string }>(sql`
    select r.${key} as id from ${table} r
     where r.tenant_id = ${tenant} and ${isUnused(tx)}
     order by r.${key}
     limit ${limit}
       for update skip locked`);
  if (locked.length === 0) return 0;
  const rows = await tx.execute(sql`
    delete from ${table} r
     where r.tenant_id = ${tenant} and r.${key} = any (${uuidArray(locked.map(({ id }) => id))}) and ${isUnused(tx)}
    returning 1`);
  return rows.length;
}
