import { randomUUID } from 'node:crypto';
import { errorCodeOf } from '../connection-error.ts';
import { quoteLiteral } from '../quote.ts';
import type { VerifyClient } from './load-catalog.ts';
import type { Finding } from './rule.ts';

export type ProbeRuleName =
  | 'probe-two-tenants'
  | 'probe-without-tenant'
  | 'probe-cross-tenant'
  | 'probe-every-table'
  | 'probe-context-function';

export interface ProbeFinding extends Finding {
  readonly rule: ProbeRuleName;
}

export interface Prober {
  /** Runs one statement; when it fails, the transaction is as before it. */
  attempt(
    text: string,
  ): Promise<
    { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly count: number } | { readonly code: string }
  >;
  report(rule: ProbeRuleName, object: string, message: string): void;
}

/** How a login comes to act for a tenant. */
export interface Actor {
  readonly name: string;
  enter(tenant: string): string;
}

export const asOwner = (login: string): Actor => ({
  name: login,
  enter: (tenant) => `set local app.tenant = ${quoteLiteral(tenant)}`,
});
export const asRuntime: Actor = {
  name: 'app_tenant',
  enter: (tenant) => `select public.app_set_tenant(${quoteLiteral(tenant)})`,
};

/** Runs one statement in a savepoint of its own. */
export async function inSavepoint(client: VerifyClient, text: string): ReturnType<Prober['attempt']> {
  await client.unsafe('savepoint verify_step');
  try {
    const rows = await client.unsafe(text);
    await client.unsafe('release savepoint verify_step');
    return { rows, count: rows.count };
  } catch (error) {
    // Only the code goes on: a message of the server may hold values.
    const code = errorCodeOf(error);
    if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) throw error;
    await client.unsafe('rollback to savepoint verify_step');
    return { code };
  }
}

/** An id that no tenant has. */
export const newTenant = (number: number) => `verify-${randomUUID()}-${number}`;
