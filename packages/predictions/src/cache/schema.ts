import {
  createdAtColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { bigint, customType, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

/** The versions whose outputs may be kept, because the same input always gives the same. One row a version. */
export const predictionCachePolicies = tenantTable(
  'prediction_cache_policies',
  {
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** How long what is stored from now on serves; null: until it is evicted. */
    ttlMs: bigint('ttl_ms', { mode: 'number' }),
    /** Of all outputs together; entries that were not used for longest go first. */
    maxBytes: bigint('max_bytes', { mode: 'number' }).notNull(),
    maxEntries: integer('max_entries').notNull(),
    /**
     * Entries of an earlier generation serve nobody: to add one invalidates all at once. setCachePolicy begins with the clock, in
     * microseconds, so that a mark that was taken away and made again does not come to a generation for a second time.
     */
    generation: bigint('generation', { mode: 'number' }).notNull(),
    /** Counted in batches. */
    hits: bigint('hits', { mode: 'number' }).notNull().default(0),
    misses: bigint('misses', { mode: 'number' }).notNull().default(0),
    /** What the hits would have taken to compute. */
    savedMs: doublePrecision('saved_ms').notNull().default(0),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.modelVersionId),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    constraint.check('limits', sql`${t.ttlMs} >= 1 and ${t.maxBytes} >= 1 and ${t.maxEntries} >= 1`),
  ],
);

export const cacheEntryStatuses = ['computing', 'ready'] as const;

/** An output by the hash of its input; while somebody computes it, a claim under a lease. */
export const predictionCache = tenantTable(
  'prediction_cache',
  {
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** SHA-256 of the canonical JSON (RFC 8785) of input and parameters. */
    key: bytes('key').notNull(),
    /** That of the policy when the computation began. */
    generation: bigint('generation', { mode: 'number' }).notNull(),
    status: stateColumn('status', cacheEntryStatuses).notNull(),
    /**
     * Who computes. A new one with each claim, so that a holder that was given up stores nothing over what came after it;
     * not a number that grows, because rows that are deleted and made again would have to remember it.
     */
    claim: uuid('claim'),
    /** JSON as text, byte for byte what was stored: jsonb reorders keys and takes no NUL. */
    output: text('output'),
    outputBytes: integer('output_bytes').notNull().default(0),
    computeMs: doublePrecision('compute_ms'),
    /** To within a minute. */
    lastUsedAt: createdAtColumn('last_used_at'),
    /** When an output ceases to serve (null: never), or the lease of a claim ends. */
    expiresAt: timeColumn('expires_at'),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.modelVersionId, t.key),
    constraint.oneOf('status', t.status, cacheEntryStatuses),
    constraint.foreignKey('policy', [t.modelVersionId], [predictionCachePolicies.modelVersionId], {
      onDelete: 'cascade',
    }),
    constraint.check('key', sql`octet_length(${t.key}) = 32`),
    constraint.check(
      'state',
      sql`case ${t.status} when 'computing' then ${t.claim} is not null and ${t.expiresAt} is not null
                           else ${t.claim} is null and ${t.output} is not null end`,
    ),
    // None by last use. Eviction reads all entries of a version anyway, to know their size; an update of the last use needs
    // no index entry; and where statistics are missing the planner takes any index that begins as the key does for the key.
    // The prune of what has expired.
    constraint.index('expires', [t.expiresAt], sql`${t.expiresAt} is not null`),
  ],
);
