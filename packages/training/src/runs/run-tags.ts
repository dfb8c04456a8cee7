import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { key, runId, tagValue } from '../inputs.ts';
import { runTagNotFound } from '../not-found.ts';
import { trainingRuns, trainingTags } from '../schema.ts';
import { findLockedRun, requireLive } from './lock-run.ts';

export const SetRunTagInput = z.strictObject({ runId, key, value: tagValue });
export type SetRunTagInput = Readonly<z.input<typeof SetRunTagInput>>;

/**
 * Sets a tag of a run, in place of the value it had. One round trip; the run's lock. No token is asked for: people tag
 * runs of others' workers.
 *
 * @throws DomainError `not_found` without the run, `failed_precondition` where it is deleted.
 */
export async function setRunTag(tx: TenantTx, input: SetRunTagInput): Promise<void> {
  const given = parseInput(SetRunTagInput, input);
  // In one flight, and two statements: one that finds the run deleted would not wait for who restores it.
  const [run] = await Promise.all([
    findLockedRun(tx, given.runId),
    tx.execute(sql`
      insert into ${trainingTags} (tenant_id, run_id, key, value)
      select ${tenantOf(tx)}, run.id, ${given.key}, ${given.value} from (${liveRun(tx, given.runId)}) as run
          on conflict (tenant_id, run_id, key) do update
         set value = excluded.value, updated_at = excluded.updated_at`),
  ]);
  requireLive(run);
}

export const RemoveRunTagInput = z.strictObject({ runId, key });
export type RemoveRunTagInput = Readonly<z.input<typeof RemoveRunTagInput>>;

/**
 * Removes a tag of a run. One round trip; the run's lock.
 *
 * @throws DomainError `not_found` without the run or the tag, `failed_precondition` where the run is deleted.
 */
export async function removeRunTag(tx: TenantTx, input: RemoveRunTagInput): Promise<void> {
  const given = parseInput(RemoveRunTagInput, input);
  const [run, removed] = await Promise.all([
    findLockedRun(tx, given.runId),
    tx.execute(sql`
      delete from ${trainingTags} t
       using (${liveRun(tx, given.runId)}) as run
       where t.tenant_id = ${tenantOf(tx)} and t.run_id = run.id and t.key = ${given.key}
      returning 1`),
  ]);
  requireLive(run);
  if (removed.length === 0) throw runTagNotFound();
}

const liveRun = (tx: TenantTx, id: string) => sql`
  select id from ${trainingRuns}
   where tenant_id = ${tenantOf(tx)} and id = ${id}::uuid and deleted_at is null`;
