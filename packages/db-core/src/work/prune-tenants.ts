import { asDispatcher } from '../context/as-dispatcher.ts';
import { type Database, internals } from '../context/database.ts';
import { isDomainError } from '../errors.ts';
import { OUTBOX_KIND } from './outbox.ts';
import { type Pruned, type PruneOptions, pruneTenant, retentionAges } from './retention.ts';
import { RETENTION_KIND } from './retention-work.ts';

export interface PrunedTenants extends Pruned {
  /** Tenants that had something to delete, or were looked at for it. */
  readonly tenants: number;
  /** Of these, those where it failed. What failed is in the log; the next run tries again. */
  readonly failed: number;
}

/**
 * Retention of a whole deployment, to be run daily: `pruneTenant` for every tenant that has something to delete, one
 * after the other.
 *
 * It asks as app_dispatcher who that is. Tenants need not have been created: a tenant with idempotency keys has a work
 * row that says so. A key goes with the first run that is a day or more behind both its writing and its expiry.
 *
 * @throws DomainError `permission_denied` where the login is no member of app_dispatcher, `unavailable`.
 */
export async function pruneTenants(db: Database, options: PruneOptions = {}): Promise<PrunedTenants> {
  const { deadAfterMs, undeliveredAfterMs } = retentionAges(options);
  const now = options.now?.toISOString() ?? null;
  const sum = { tenants: 0, failed: 0, idempotencyKeys: 0, outboxEvents: 0, workRows: 0 };
  for (let after = ''; ; ) {
    const rows = await asDispatcher(db, lookSql, [after, now, deadAfterMs, undeliveredAfterMs ?? null, pageOfTenants]);
    for (const row of rows) {
      if (options.signal?.aborted === true) return sum;
      after = String(row['tenant_id']);
      sum.tenants += 1;
      try {
        const pruned = await pruneTenant(db, after, options);
        sum.idempotencyKeys += pruned.idempotencyKeys;
        sum.outboxEvents += pruned.outboxEvents;
        sum.workRows += pruned.workRows;
      } catch (error) {
        // The others would fail like this one, each after its time-outs.
        if (isDomainError(error, 'unavailable') && error.details['sqlState'] === undefined) throw error;
        sum.failed += 1;
        const known = isDomainError(error);
        const facts = {
          tenant: after,
          code: known ? error.code : 'internal',
          ...(known ? { reason: error.message } : {}),
        };
        db[internals].logger.error(facts, 'retention of a tenant failed');
      }
    }
    if (rows.length < pageOfTenants) return sum;
  }
}

const pageOfTenants = 10_000;

const lookSql = `
  select distinct tenant_id
    from tenant_work, (select coalesce($2::text::timestamptz, app_now()) as at) clock
   where tenant_id > $1
     and (kind = '${RETENTION_KIND}' and due_at <= clock.at
          or dead_at < clock.at - interval '1 millisecond' * $3::float8
          or kind = '${OUTBOX_KIND}' and created_at < clock.at - interval '1 millisecond' * $4::float8)
   order by tenant_id
   limit $5::int`;
