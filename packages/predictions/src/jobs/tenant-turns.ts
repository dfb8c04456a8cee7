import {
  type Database,
  isDomainError,
  type Logger,
  lookForWork,
  type TenantTx,
  toTenantId,
  withTenant,
} from '@mcp-hub/db-core';
import { BATCH_KIND, noteNextLook } from './announce-work.ts';
import { type ClaimedChunk, claimChunk } from './claim-chunk.ts';
import { isTenantTimeout } from './is-tenant-timeout.ts';

export interface Turn {
  readonly tenant: string;
  readonly chunk: ClaimedChunk;
}

/** Whose turn it is: each tenant that has work gives one chunk, then comes behind the others. */
export interface TenantTurns {
  /** The next chunk, or undefined where no tenant has one now. @throws DomainError where nobody can be asked. */
  next(): Promise<Turn | undefined>;
  /** A chunk of the tenant has ended, and others of it may be claimed under its caps. */
  ended(tenant: string): void;
  /** Whether the last look at each tenant found nothing to wait for. Of given tenants only. */
  allDone(): boolean;
}

interface TurnOptions {
  readonly tenants?: readonly string[] | undefined;
  readonly leaseMs: number;
  readonly idleMs: number;
  readonly actor?: string | undefined;
  readonly logger?: Logger | undefined;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
const LOOK_LIMIT = 1_000;

export function tenantTurns(db: Database, { tenants, leaseMs, idleMs, actor, logger }: TurnOptions): TenantTurns {
  const given = tenants === undefined ? undefined : [...new Set(tenants.map(toTenantId))];
  let queue: string[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  const done = new Set<string>();
  /** Tenants that gave nothing the last time they were asked. */
  const empty = new Set<string>();
  /** Tenants whose claim failed, and until when they are left alone. */
  const pauses = new Map<string, { readonly failures: number; readonly until: number }>();

  const look = async () => {
    lookedAt = performance.now();
    const due = new Set(given ?? (await dueTenants(db)));
    // Those that have work keep their places; what the last one of them may have become is not known here.
    queue = [...queue.filter((tenant) => due.delete(tenant)), ...due];
  };

  const claim = async (tenant: string): Promise<ClaimedChunk | undefined> => {
    const work = async (tx: TenantTx) => {
      const chunk = await claimChunk(tx, { leaseMs });
      return { chunk, next: chunk === undefined ? await noteNextLook(tx) : undefined };
    };
    try {
      // A tenant's own transactions may hold its rows for long: the others do not wait for that.
      const found = await withTenant(db, tenant, work, {
        lockTimeoutMs: 1_000,
        retry: { attempts: 3 },
        ...(actor === undefined ? {} : { actor }),
      });
      pauses.delete(tenant);
      if (found.chunk === undefined) empty.add(tenant);
      else empty.delete(tenant);
      if (found.chunk === undefined && found.next === undefined) done.add(tenant);
      else done.delete(tenant);
      return found.chunk;
    } catch (error) {
      if (isOfDatabase(error)) throw error;
      pauseTenant(tenant, error);
      return undefined;
    }
  };

  const pauseTenant = (tenant: string, error: unknown) => {
    const failures = (pauses.get(tenant)?.failures ?? 0) + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30));
    pauses.set(tenant, { failures, until: performance.now() + pauseMs });
    const code = isDomainError(error) ? error.code : 'internal';
    logger?.error({ kind: BATCH_KIND, tenant, code, failures, pauseMs }, 'no chunk of a tenant could be claimed');
  };

  return {
    async next() {
      if (queue.length === 0 || performance.now() - lookedAt >= idleMs) await look();
      for (let left = queue.length; left > 0; left -= 1) {
        const tenant = queue.shift();
        if (tenant === undefined) break;
        if ((pauses.get(tenant)?.until ?? 0) > performance.now()) continue;
        const chunk = await claim(tenant);
        if (chunk === undefined) continue;
        queue.push(tenant);
        return { tenant, chunk };
      }
      return undefined;
    },
    ended(tenant) {
      if (empty.delete(tenant) && !queue.includes(tenant)) queue.push(tenant);
    },
    allDone: () => given?.every((tenant) => done.has(tenant)) ?? false,
  };
}

async function dueTenants(db: Database): Promise<readonly string[]> {
  const tenants: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const look = await lookForWork(db, { kind: BATCH_KIND, after, limit: LOOK_LIMIT, inOrder: false, now: undefined });
    tenants.push(...look.tenants);
    after = look.next;
  }
  return tenants;
}

/** No connection, and not a lock or statement of one tenant that took too long. */
const isOfDatabase = (error: unknown): boolean => isDomainError(error, 'unavailable') && !isTenantTimeout(error);
