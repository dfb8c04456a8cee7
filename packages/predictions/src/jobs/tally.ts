import { type SQL, sql } from 'drizzle-orm';
import { batchJobTallies } from './schema.ts';

/** Rows of batch_job_tallies that a job has at most. */
const SLOTS = 64;

/**
 * Adds to the sums of jobs. `sums` selects job_id, and what came to chunks_succeeded, chunks_dead, rows_succeeded and
 * rows_dead. Connections that come one after the other have slots of their own, and one transaction has one slot a job.
 */
export const addTally = (tenant: string, sums: SQL): SQL => sql`
  insert into ${batchJobTallies} as t
         (tenant_id, job_id, slot, chunks_succeeded, chunks_dead, rows_succeeded, rows_dead)
  select ${tenant}, s.job_id, pg_backend_pid() % ${sql.raw(String(SLOTS))},
         s.chunks_succeeded, s.chunks_dead, s.rows_succeeded, s.rows_dead
    from (${sums}) as s (job_id, chunks_succeeded, chunks_dead, rows_succeeded, rows_dead)
   order by s.job_id
  on conflict (tenant_id, job_id, slot) do update
     set chunks_succeeded = t.chunks_succeeded + excluded.chunks_succeeded,
         chunks_dead      = t.chunks_dead + excluded.chunks_dead,
         rows_succeeded   = t.rows_succeeded + excluded.rows_succeeded,
         rows_dead        = t.rows_dead + excluded.rows_dead`;
