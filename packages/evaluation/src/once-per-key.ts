import { type Jsonable, type TenantTx, withIdempotencyKey } from '@mcp-hub/db-core';

/** Runs `work`; with a key, once, and gives the first result to whoever repeats the call. */
export async function oncePerKey<Result>(
  tx: TenantTx,
  { key, ...call }: { readonly scope: string; readonly key: string | undefined; readonly request: unknown },
  work: () => Promise<Result & Jsonable<Result>>,
): Promise<Result> {
  return key === undefined ? await work() : await withIdempotencyKey<Result>(tx, { ...call, key }, work);
}
