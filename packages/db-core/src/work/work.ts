import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { DomainError } from '../errors.ts';
import { WORK_LIMITS } from '../limits.ts';
import { tenantWork } from '../schema.ts';
import { parseInput } from '../value/parse-input.ts';
import { lineInput, wholeNumber } from './checked-inputs.ts';
import { WorkName } from './work-name.ts';

/** Work under a lease, as claimWork gave it. Whoever presents an older fencing token has lost it. */
export const WorkLease = z.object({
  kind: z.string(),
  workKey: z.string(),
  /** Grows with every claim of this key, also when the row was deleted and made again in between. */
  fencingToken: z.int(),
});
export type WorkLease = Readonly<z.input<typeof WorkLease>>;

export interface ClaimedWork extends WorkLease {
  /** Claims since it was scheduled, this one among them. */
  readonly attempts: number;
  /** When it became due; for work whose holder was lost, when that lease ended. */
  readonly dueAt: Date;
  readonly leasedUntil: Date;
}

const milliseconds = z.int().min(1).max(WORK_LIMITS.leaseMs);

/** Full jitter: the next attempt is due after a random part of `min(maxMs, baseMs * 2^(attempts - 1))`. */
export interface Backoff {
  /** Default 1,000. */
  readonly baseMs?: number;
  /** Default 300,000. */
  readonly maxMs?: number;
}

/** Deletes work, whether it waits, runs or is dead; a run under way can then not complete. False where there is none. */
export async function cancelWork(tx: TenantTx, input: WorkName): Promise<boolean> {
  const { kind, workKey = '' } = parseInput(WorkName, input);
  const rows = await tx.execute(sql`
    delete from ${tenantWork}
     where tenant_id = ${tenantOf(tx)} and kind = ${kind} and work_key = ${workKey}
    returning 1`);
  return rows.length > 0;
}

export const ClaimWorkInput = z.strictObject({
  kind: lineInput(WORK_LIMITS.kindLength),
  leaseMs: milliseconds,
  /** Default 1. */
  limit: z.int().min(1).max(WORK_LIMITS.claimLimit).optional(),
  inOrder: z.boolean().optional(),
});
export type ClaimWorkInput = Readonly<z.input<typeof ClaimWorkInput>>;

/**
 * Takes up to `limit` pieces of due work, longest due first, until `leaseMs` from now; what others hold or are about to
 * take is passed over, and so is a key that another run holds or that backs off. It waits for no row lock. Commit before
 * the work begins.
 *
 * `inOrder` takes the one with the lowest key and only it: nothing while that one is leased, locked or not due.
 */
export async function claimWork(tx: TenantTx, input: ClaimWorkInput): Promise<readonly ClaimedWork[]> {
  const tenant = tenantOf(tx);
  const { kind, leaseMs, limit = 1, inOrder } = parseInput(ClaimWorkInput, input);
  const lease = leaseEnd(leaseMs);
  // In order, the head is found without a lock, then locked under the conditions of a claim: SKIP LOCKED on the sorted
  // rows would go on to the second. A claim waits for no lock: the tenant's own transactions hold these rows for as long
  // as they like, and the dispatcher would stand still for all tenants.
  const head = sql`
             and w.work_key = (select work_key
                                 from ${tenantWork}
                                where tenant_id = ${tenant} and kind = ${kind} and dead_at is null
                                order by work_key
                                limit 1)`;
  // A bare app_now() is no index condition under RLS, because current_setting() is not leakproof: a tenant whose million
  // rows are not due would be read whole.
  //
  // A key has one row that was claimed, and other requests wait for it; the unique index tenant_work_run_key says so to
  // claims that do not see each other. It is asked for by a value, for one key: NOT EXISTS was hashed, 1.4 s beside a
  // million rows that back off. What is claimed serves the requests of its key that nobody holds: their
  // transactions have ended before the run begins.
  //
  // By any(array) and case the update goes through the primary key alone. Joined with due, and with dead_at is null in the
  // open, it took the other index where statistics were missing, and 924 ms beside 200,000 rows.
  //
  // The clock keeps tokens growing over a row that was deleted and made again: a zombie of the first must not pass. The
  // upper ends can only be reached by a row that a tenant wrote by hand, and must not make its claim fail.
  const rows = await tx.execute<ClaimedRow>(sql`
    with due as materialized (
      select w.work_key, w.request_id, w.attempts, w.due_at
        from ${tenantWork} w
       where w.tenant_id = ${tenant} and w.kind = ${kind} and w.dead_at is null and w.due_at <= (select app_now())
         and (w.attempts > 0
              or (select run.attempts
                    from ${tenantWork} run
                   where run.tenant_id = ${tenant} and run.kind = ${kind} and run.work_key = w.work_key
                     and run.attempts > 0 and run.dead_at is null) is null)${inOrder ? head : sql``}
       order by w.due_at, w.work_key
       limit ${limit}
         for update skip locked
    ), taken as materialized (
      select distinct on (work_key) work_key, request_id, due_at as was_due_at
        from due
       order by work_key, attempts desc, due_at, request_id
    ), served as materialized (
      select w.work_key, w.request_id
        from ${tenantWork} w
       where w.tenant_id = ${tenant} and w.kind = ${kind} and w.work_key = any (array(select work_key from taken))
         and w.request_id <> all (array(select request_id from taken))
         and case when w.dead_at is null and w.attempts = 0 then w.due_at <= app_now() end
         for update skip locked
    ), forgotten as (
      delete from ${tenantWork} w
       where w.tenant_id = ${tenant} and w.kind = ${kind} and w.work_key = any (array(select work_key from served))
         and w.request_id = any (array(select request_id from served))
    ), claimed as (
      update ${tenantWork} w
         set due_at        = ${lease},
             leased_until  = ${lease},
             attempts      = least(w.attempts, 2147483646) + 1,
             fencing_token = greatest(case when w.fencing_token < 9007199254740991 then w.fencing_token + 1 end,
                                      (extract(epoch from clock_timestamp()) * 1000000)::bigint)
       where w.tenant_id = ${tenant} and w.kind = ${kind} and w.work_key = any (array(select work_key from taken))
         and w.request_id = any (array(select request_id from taken))
         and case when w.dead_at is null then w.due_at <= app_now() end
      returning w.work_key, w.fencing_token, w.attempts, w.leased_until
    )
    select work_key, fencing_token, attempts,
           (extract(epoch from was_due_at) * 1000)::float8 as due_ms,
           (extract(epoch from leased_until) * 1000)::float8 as lease_ms
      from claimed join taken using (work_key)
     order by was_due_at, work_key`);
  return rows.map((row) => ({
    kind,
    workKey: row.work_key,
    fencingToken: Number(row.fencing_token),
    attempts: row.attempts,
    dueAt: new Date(row.due_ms),
    leasedUntil: new Date(row.lease_ms),
  }));
}

interface ClaimedRow extends Record<string, unknown> {
  readonly work_key: string;
  readonly fencing_token: string;
  readonly attempts: number;
  readonly due_ms: number;
  readonly lease_ms: number;
}

/** Holds claimed work until `leaseMs` from now. @throws DomainError `conflict` where the lease was lost. */
export async function extendLease(tx: TenantTx, lease: WorkLease, leaseMs: number): Promise<void> {
  const end = leaseEnd(leaseMs);
  const rows = await tx.execute(sql`
    update ${tenantWork} set due_at = ${end}, leased_until = ${end} where ${held(tx, lease)} returning 1`);
  if (rows.length === 0) throw leaseLost();
}

/**
 * Ends claimed work: its row goes; what was asked for since it was claimed is due by itself. Late is fine as long as
 * nobody else has claimed it. @throws DomainError `conflict` where the lease was lost.
 */
export async function completeWork(tx: TenantTx, lease: WorkLease): Promise<void> {
  const rows = await tx.execute(sql`delete from ${tenantWork} where ${held(tx, lease)} returning 1`);
  if (rows.length === 0) throw leaseLost();
}

export const WorkFailure = z.strictObject({
  errorCode: lineInput(WORK_LIMITS.errorCodeLength),
  backoff: z.strictObject({ baseMs: milliseconds.optional(), maxMs: milliseconds.optional() }).optional(),
  maxAttempts: z.int().min(1).max(2_147_483_647).optional(),
});
export type WorkFailure = Readonly<z.input<typeof WorkFailure>>;

/**
 * Gives claimed work back after a failure, due again by the back-off; with `maxAttempts` used up it is dead and stays
 * until it is scheduled or cancelled. Only the code of the error is kept: messages may hold users' values.
 *
 * @throws DomainError `conflict` where the lease was lost.
 */
export async function failWork(
  tx: TenantTx,
  lease: WorkLease,
  failure: WorkFailure,
): Promise<{ readonly dead: boolean }> {
  const { errorCode, backoff, maxAttempts = null } = parseInput(WorkFailure, failure);
  const { baseMs = 1_000, maxMs = 300_000 } = backoff ?? {};
  const rows = await tx.execute<{ dead: boolean }>(sql`
    update ${tenantWork}
       set leased_until    = null,
           last_error_code = ${errorCode},
           dead_at         = case when attempts >= ${maxAttempts}::int then app_now() end,
           due_at          = app_now() + interval '1 millisecond' * greatest(1, ceil(random() *
                               least(${maxMs}::float8, ${baseMs}::float8 * 2 ^ least(attempts - 1, 40))))
     where ${held(tx, lease)}
    returning dead_at is not null as dead`);
  const [row] = rows;
  if (row === undefined) throw leaseLost();
  return row;
}

/** Gives claimed work back as if it had not been claimed: the process stops. */
export async function releaseWork(tx: TenantTx, lease: WorkLease): Promise<void> {
  const rows = await tx.execute(sql`
    update ${tenantWork}
       set leased_until = null, due_at = app_now(), attempts = greatest(attempts - 1, 0)
     where ${held(tx, lease)}
    returning 1`);
  if (rows.length === 0) throw leaseLost();
}

/** True for the error of a lease that someone else has taken, or whose work was cancelled. */
export function isLeaseLost(error: unknown): boolean {
  return error instanceof DomainError && error.details['reason'] === 'lease_lost';
}

function leaseLost(): DomainError {
  return new DomainError(
    'conflict',
    'The lease of this work was lost: it ran out and another claimed the work, or the work was cancelled or completed.',
    { details: { reason: 'lease_lost' } },
  );
}

function held(tx: TenantTx, lease: WorkLease) {
  const { kind, workKey, fencingToken } = parseInput(WorkLease, lease);
  return sql`tenant_id = ${tenantOf(tx)} and kind = ${kind} and work_key = ${workKey}
         and fencing_token = ${String(fencingToken)}::bigint and leased_until is not null`;
}

function leaseEnd(leaseMs: number) {
  const ms = wholeNumber(leaseMs, 'leaseMs', 1, WORK_LIMITS.leaseMs);
  return sql`app_now() + interval '1 millisecond' * ${ms}::float8`;
}
