import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError } from '../errors.ts';
import type { TenantId } from './tenant-id.ts';

/** A tenant's transaction that is running in this chain of calls. */
export interface OpenContext {
  readonly tenant: TenantId;
  open: boolean;
}

const current = new AsyncLocalStorage<OpenContext>();

/** Runs `work` in a chain of calls that knows its tenant; refuses to begin inside another tenant's. */
export async function inContext<Result>(
  tenant: TenantId,
  work: (context: OpenContext) => Promise<Result>,
): Promise<Result> {
  refuseOther(
    tenant,
    'A transaction of another tenant is open around this one. Finish it first; one transaction belongs to one tenant.',
  );
  const context: OpenContext = { tenant, open: true };
  return await current.run(context, async () => {
    try {
      return await work(context);
    } finally {
      context.open = false;
    }
  });
}

/** For each statement: a handle that was kept in a shared place must not answer inside another tenant's request. */
export function refuseForeignHandle(tenant: TenantId): void {
  refuseOther(
    tenant,
    'This handle belongs to another tenant than the transaction that is open here. Pass the handle of the callback on, and keep it nowhere else.',
  );
}

function refuseOther(tenant: TenantId, message: string): void {
  const outer = current.getStore();
  if (outer?.open === true && outer.tenant !== tenant) throw new DomainError('failed_precondition', message);
}
