import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { contextOf, type TenantTx, tenantOf } from '../context/tenant-tx.ts';
import { DomainError } from '../errors.ts';
import { IDEMPOTENCY_LIMITS, RETENTION_LIMITS } from '../limits.ts';
import { idempotencyKeys } from '../schema.ts';
import { jsonParameter } from '../value/parameters.ts';
import { parseInput } from '../value/parse-input.ts';
import { canonicalJson, strictJson } from '../value/strict-json.ts';
import { lineInput } from './checked-inputs.ts';
import { noteForRetention } from './retention-work.ts';

export const IdempotentRequest = z.strictObject({
  /** The function that the key is for, such as `registry.registerVersion`: keys of two scopes never meet. */
  scope: lineInput(IDEMPOTENCY_LIMITS.scopeLength),
  /** Made by the client, one for each thing that it wants done. */
  key: lineInput(IDEMPOTENCY_LIMITS.keyLength),
  /** What is asked for, as JSON: the order of its members does not count. Its digest is stored, not itself. */
  request: z.unknown(),
  /** How long the result is kept. Default 24 hours, at most 30 days. */
  ttlMs: z.int().min(1_000).max(IDEMPOTENCY_LIMITS.ttlMs).optional(),
});
export type IdempotentRequest = Readonly<z.input<typeof IdempotentRequest>>;

/** What comes back from JSON as it went in. */
export type Jsonable<T> = T extends string | number | boolean | null
  ? T
  : T extends bigint | symbol | Date | ((...args: never) => unknown)
    ? never
    : T extends object
      ? { [Key in keyof T]: Jsonable<T[Key]> }
      : T extends undefined
        ? T
        : unknown extends T
          ? T
          : never;

/**
 * Gives the first result again where the same request comes with the same key, without running `work`.
 *
 * `work` runs in the caller's transaction, and its result is stored there: it stands when, and only when, the caller
 * commits. A second call with the key waits for the first one's transaction; where that rolled back, it runs. The result
 * must be JSON; both calls get it as it comes back from JSON.
 *
 * Lock: the key's row, until the transaction ends.
 *
 * @throws DomainError `conflict` where the key was used with another request, `invalid_input` for keys outside the limits
 *   and requests or results that are no JSON, `failed_precondition` where `work` comes to its own key.
 */
export async function withIdempotencyKey<Result>(
  tx: TenantTx,
  input: IdempotentRequest,
  work: () => Promise<Result & Jsonable<Result>>,
): Promise<Result> {
  const tenant = tenantOf(tx);
  const { scope, key, request, ttlMs = IDEMPOTENCY_LIMITS.defaultTtlMs } = parseInput(IdempotentRequest, input);
  const digest = createHash('sha256').update(canonicalJson(request, 'request')).digest('hex');
  return await once(tx, JSON.stringify([scope, key]), async () => {
    // Waits for a transaction that holds the key. An expired row, or one without a response (its work failed and the
    // caller committed nevertheless), is taken over.
    const taken = await tx.execute(sql`
      with taken as (
        insert into ${idempotencyKeys} as k (tenant_id, scope, key, request_digest, expires_at)
        values (${tenant}, ${scope}, ${key}, ${digest}, app_now() + interval '1 millisecond' * ${ttlMs}::float8)
        on conflict (tenant_id, scope, key) do update
           set request_digest = excluded.request_digest, response = null,
               created_at = excluded.created_at, expires_at = excluded.expires_at
         where k.expires_at <= app_now() or k.response is null
        returning 1
      ), noted as (${noteForRetention(tenant, sql`taken`)})
      select 1 from taken`);
    if (taken.length === 0) return await firstResult<Result>(tx, { scope, key, digest });
    const response = strictJson((await work()) ?? null, 'result');
    await tx.execute(sql`
      update ${idempotencyKeys}
         set response = ${jsonParameter(JSON.parse(response), 'result', IDEMPOTENCY_LIMITS.responseBytes)}
       where tenant_id = ${tenant} and scope = ${scope} and key = ${key}`);
    return JSON.parse(response) as Result;
  });
}

/** withIdempotencyKey for a function whose key is optional: without one, `work` runs. */
export async function oncePerKey<Result>(
  tx: TenantTx,
  { key, ...call }: { readonly scope: string; readonly key: string | undefined; readonly request: unknown },
  work: () => Promise<Result & Jsonable<Result>>,
): Promise<Result> {
  return key === undefined ? await work() : await withIdempotencyKey<Result>(tx, { ...call, key }, work);
}

async function firstResult<Result>(
  tx: TenantTx,
  { scope, key, digest }: { readonly scope: string; readonly key: string; readonly digest: string },
): Promise<Result> {
  // As text: a response that is the JSON null is not an absent one.
  const [row] = await tx.execute<{ request_digest: string; response: string }>(sql`
    select request_digest, response::text as response
      from ${idempotencyKeys}
     where tenant_id = ${tenantOf(tx)} and scope = ${scope} and key = ${key}`);
  if (row?.request_digest === digest) return JSON.parse(row.response) as Result;
  throw new DomainError(
    'conflict',
    'This idempotency key was used with another request. Make a new key for each thing to be done.',
    { details: { reason: 'idempotency_key_reused', scope } },
  );
}

const running = new WeakMap<object, Set<string>>();

/** Two calls with one key in one transaction do not wait for each other, so the second is refused. */
async function once<Result>(tx: TenantTx, name: string, act: () => Promise<Result>): Promise<Result> {
  const { connection } = contextOf(tx);
  const names = running.get(connection) ?? new Set();
  running.set(connection, names);
  if (names.has(name)) {
    throw new DomainError('failed_precondition', 'A call with this idempotency key is running in this transaction.');
  }
  names.add(name);
  try {
    return await act();
  } finally {
    names.delete(name);
  }
}

export const DeleteExpiredIdempotencyKeysInput = z.strictObject({
  limit: z.int().min(1).max(RETENTION_LIMITS.batchSize).optional(),
});
export type DeleteExpiredIdempotencyKeysInput = Readonly<z.input<typeof DeleteExpiredIdempotencyKeysInput>>;

/** Deletes up to `limit` (default 1,000) expired keys of the tenant, longest expired first; how many went. */
export async function deleteExpiredIdempotencyKeys(
  tx: TenantTx,
  input: DeleteExpiredIdempotencyKeysInput = {},
): Promise<number> {
  const { limit = 1_000 } = parseInput(DeleteExpiredIdempotencyKeysInput, input);
  const tenant = tenantOf(tx);
  const rows = await tx.execute(sql`
    with expired as materialized (
      select scope, key
        from ${idempotencyKeys}
       where tenant_id = ${tenant} and expires_at <= (select app_now())
       order by expires_at
       limit ${limit}
         for update skip locked
    )
    delete from ${idempotencyKeys} k
     using expired
     where k.tenant_id = ${tenant} and k.scope = expired.scope and k.key = expired.key
    returning 1`);
  return rows.length;
}
