import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { findVersion, registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import {
  type BatchRow,
  type BatchRowInput,
  type RowResult,
  type SubmitBatchJobInput,
  type SubmittedBatchJob,
  submitBatchJob,
} from '../../src/index.ts';

/** Rows whose feature x is their number. */
export const rowsOf = (count: number): readonly BatchRowInput[] =>
  Array.from({ length: count }, (_, x) => ({ subject: `s${x}`, features: { x } }));

/** What the model of these tests says: twice x. */
export const twice = (rows: readonly BatchRow[]): readonly RowResult[] =>
  rows.map(({ features }) => ({ score: 2 * Number(features['x']) }));

/** A job of a version that is made where it is not there. */
export async function submitted(
  db: Database,
  tenant: string,
  input: Partial<SubmitBatchJobInput> = {},
  now?: Date,
): Promise<SubmittedBatchJob> {
  const submit = async (tx: TenantTx) => {
    if ((await findVersion(tx, { name: 'churn', version: '1' })) === undefined) {
      await registerVersion(tx, { name: 'churn' });
    }
    const rows = input.query === undefined ? { rows: rowsOf(10) } : {};
    return await submitBatchJob(tx, { name: 'churn', version: '1', jobName: 'job', chunkRows: 4, ...rows, ...input });
  };
  return await withTenant(db, tenant, submit, now === undefined ? {} : { now });
}

export interface StoredPrediction extends Record<string, unknown> {
  readonly subject: string;
  readonly score: number | null;
}

/** The predictions of a job, in the order of its rows. */
export const predictionsOf = async (
  db: Database,
  tenant: string,
  jobId: string,
): Promise<readonly StoredPrediction[]> =>
  await withTenant(db, tenant, (tx) =>
    tx.execute<StoredPrediction>(sql`
      select subject, score from predictions where source = 'batch' and batch_job_id = ${jobId}::uuid order by id`),
  );
