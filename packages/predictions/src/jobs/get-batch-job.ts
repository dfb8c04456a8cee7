import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, isNotNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { jobNotFound } from '../not-found.ts';
import { type BatchProgress, type ProgressFacts, progressOf } from './batch-progress.ts';
import { jobId } from './job-inputs.ts';
import { batchJobStatuses, batchJobs, batchJobTallies } from './schema.ts';

const {
  tenantId: _tenantId,
  lastChangeNumber: _lastChangeNumber,
  submissionUntil: _submissionUntil,
  activeMs: _activeMs,
  activeSince: _activeSince,
  ...columns
} = getTableColumns(batchJobs);

type JobRow = Omit<
  typeof batchJobs.$inferSelect,
  'tenantId' | 'lastChangeNumber' | 'submissionUntil' | 'activeMs' | 'activeSince'
>;

/** A row of batch_jobs with what became of its rows so far. */
export interface BatchJob extends Readonly<JobRow> {
  readonly progress: BatchProgress;
}

// In raw SQL the outer table is spelled out: Drizzle drops it from columns.
const facts = sql<ProgressFacts>`(
  select json_build_array(
           coalesce(sum(t.chunks_succeeded), 0), coalesce(sum(t.chunks_dead), 0),
           coalesce(sum(t.rows_succeeded), 0), coalesce(sum(t.rows_dead), 0),
           batch_jobs.active_ms + coalesce(greatest(0, extract(epoch from app_now() - batch_jobs.active_since)) * 1000, 0))
    from ${batchJobTallies} t
   where t.tenant_id = batch_jobs.tenant_id and t.job_id = batch_jobs.id)`;

const toBatchJob = ({ facts: found, ...job }: JobRow & { readonly facts: ProgressFacts }): BatchJob => ({
  ...job,
  progress: progressOf(job, found),
});

export const GetBatchJobInput = z.strictObject({ jobId });
export type GetBatchJobInput = Readonly<z.input<typeof GetBatchJobInput>>;

/** As findBatchJob. @throws DomainError `not_found` where it gives undefined. */
export async function getBatchJob(tx: TenantTx, input: GetBatchJobInput): Promise<BatchJob> {
  const job = await findBatchJob(tx, input);
  if (job === undefined) throw jobNotFound();
  return job;
}

/** The job with its progress, or undefined where it is not there or not submitted whole. One statement, no lock. */
export async function findBatchJob(tx: TenantTx, input: GetBatchJobInput): Promise<BatchJob | undefined> {
  const given = parseInput(GetBatchJobInput, input);
  const [job] = await tx
    .select({ ...columns, facts })
    .from(batchJobs)
    .where(
      and(
        eq(batchJobs.tenantId, tenantOf(tx)),
        eq(batchJobs.id, given.jobId as Id<'BatchJob'>),
        isNotNull(batchJobs.submittedAt),
      ),
    );
  return job === undefined ? undefined : toBatchJob(job);
}

const fields = defineFilterFields({
  id: uuidField(batchJobs.id),
  name: textField(batchJobs.name),
  status: enumField(batchJobs.status, batchJobStatuses),
  model_version_id: uuidField(batchJobs.modelVersionId),
  priority: numberField(batchJobs.priority),
  row_count: numberField(batchJobs.rowCount),
  created_at: timeField(batchJobs.createdAt),
  started_at: timeField(batchJobs.startedAt),
  ended_at: timeField(batchJobs.endedAt),
});

export const ListBatchJobsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `status = 'failed' AND priority > 0`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: the newest first. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListBatchJobsInput = Readonly<z.input<typeof ListBatchJobsInput>>;

const jobList = defineList({
  name: 'predictions.batchJobs',
  from: batchJobs,
  columns: { ...columns, facts },
  where: sql`${batchJobs.submittedAt} is not null`,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'created_at', direction: 'desc' }],
    tieBreaker: fields.fields.id,
  }),
  toItem: toBatchJob,
});

/**
 * The tenant's jobs that were submitted whole, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listBatchJobs(tx: TenantTx, input: ListBatchJobsInput = {}): Promise<Page<BatchJob>> {
  return await readPage(tx, jobList, parseInput(ListBatchJobsInput, input));
}
