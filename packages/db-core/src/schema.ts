import { sql } from 'drizzle-orm';
import { bigint, integer, type PgColumn, text, uuid } from 'drizzle-orm/pg-core';
import { WORK_LIMITS } from './limits.ts';
import { createdAtColumn, idColumn, jsonColumn, stateColumn, timeColumn, updatedAtColumn } from './table/columns.ts';
import { tenantTable } from './table/tenant-table.ts';

export const tenantStatuses = ['active', 'suspended', 'archived'] as const;

/** The tenants that were created. Nothing refers to it, and a context needs no row in it. */
export const tenants = tenantTable(
  'tenants',
  {
    displayName: text('display_name'),
    status: stateColumn('status', tenantStatuses).notNull().default('active'),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(), constraint.oneOf('status', t.status, tenantStatuses)],
  { dispatcherMayLook: true },
);

const lengthBetween = (column: PgColumn, min: number, max: number) =>
  sql`length(${column}) between ${sql.raw(String(min))} and ${sql.raw(String(max))}`;

/**
 * Who has work: a row for each request that no other row serves, without any user data (`workKey` is an id or empty).
 * Tenants write their own rows; the dispatcher looks at all of them.
 */
export const tenantWork = tenantTable(
  'tenant_work',
  {
    kind: text('kind').notNull(),
    workKey: text('work_key').notNull().default(''),
    /** So that two transactions that ask for the same work make two rows, and do not wait for each other. */
    requestId: uuid('request_id').notNull().default(sql`gen_random_uuid()`),
    /** When it may be claimed next; under a lease, the end of the lease. */
    dueAt: timeColumn('due_at').notNull().default(sql`app_now()`),
    /** Claims; above 0, this is the row of its key that runs or is tried again, and other requests wait for it. */
    attempts: integer('attempts').notNull().default(0),
    /** Grows with each claim; whoever holds an older one has lost the lease. */
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    leasedUntil: timeColumn('leased_until'),
    /** Set when the attempts are used up: nobody claims it until it is scheduled again. */
    deadAt: timeColumn('dead_at'),
    lastErrorCode: text('last_error_code'),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.kind, t.workKey, t.requestId),
    // A key runs once at a time.
    constraint.uniqueWhere('run', [t.kind, t.workKey], sql`attempts > 0 and dead_at is null`),
    // A tenant may write its rows by hand. What the dispatcher could not claim or read is refused here.
    constraint.check('kind', lengthBetween(t.kind, 1, WORK_LIMITS.kindLength)),
    constraint.check('work_key', lengthBetween(t.workKey, 0, WORK_LIMITS.workKeyLength)),
    constraint.check('last_error_code', lengthBetween(t.lastErrorCode, 1, WORK_LIMITS.errorCodeLength)),
    constraint.check('attempts', sql`${t.attempts} >= 0`),
    constraint.check('fencing_token', sql`${t.fencingToken} between 0 and ${sql.raw(String(Number.MAX_SAFE_INTEGER))}`),
    constraint.check(
      'times',
      sql`isfinite(${t.dueAt}) and isfinite(${t.leasedUntil}) and isfinite(${t.deadAt}) and isfinite(${t.createdAt})`,
    ),
    // The dispatcher's look (per kind, from tenant to tenant, the earliest due row of each) and a tenant's claim (its due
    // rows of one kind, oldest first).
    constraint.dispatcherIndex('due', [t.kind, t.tenantId, t.dueAt, t.workKey], sql`dead_at is null`),
    // The head of work in order, at the cost of one row where a tenant has masses of dead ones before it.
    constraint.index('head', [t.kind, t.workKey], sql`dead_at is null`),
  ],
  { dispatcherMayLook: true },
);

/** What a retried write gave the first time. */
export const idempotencyKeys = tenantTable(
  'idempotency_keys',
  {
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    /** sha256 of the request in canonical form, hex. */
    requestDigest: text('request_digest').notNull(),
    response: jsonColumn<unknown>('response'),
    createdAt: createdAtColumn(),
    expiresAt: timeColumn('expires_at').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.scope, t.key),
    // Retention: a tenant's expired keys.
    constraint.index('expiry', [t.expiresAt]),
  ],
);

/** Lifecycle changes on their way out, written in the transaction that made them. Delivered rows are deleted. */
export const outboxEvents = tenantTable(
  'outbox_events',
  {
    id: idColumn<'OutboxEvent'>(),
    topic: text('topic').notNull(),
    /** The id of what changed. */
    subjectId: text('subject_id').notNull(),
    payload: jsonColumn<Readonly<Record<string, unknown>>>('payload').notNull().default({}),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [constraint.primaryKey(t.id)],
);
