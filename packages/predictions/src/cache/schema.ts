import {
  createdAtColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { bigint, customType, doublePrecision, integer } from 'drizzle-orm/pg-core';

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });

/** The versions whose outputs may be kept, because the same input always gives the same. One row a version. */
export const predictionCachePolicies = tenantTable(
  'prediction_cache_policies',
  {
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** How long an entry serves; null: until it is evicted. */
    ttlMs: bigint('ttl_ms', { mode: 'number' }),
    /** Of all outputs together; entries that were not used for longest go first. */
    maxBytes: bigint('max_bytes', { mode: 'number' }).notNull(),
    /** Entries of an earlier generation serve nobody: to add one invalidates all at once. */
    generation: bigint('generation', { mode: 'number' }).notNull().default(1),
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
    generation: bigint('generation', { mode: 'number' }).notNull(),
    status: stateColumn('status', cacheEntryStatuses).notNull(),
    output: jsonColumn<unknown>('output'),
    outputBytes: integer('output_bytes').notNull().default(0),
    computeMs: doublePrecision('compute_ms'),
    leasedUntil: timeColumn('leased_until'),
    fencingToken: bigint('fencing_token', { mode: 'number' }).notNull().default(0),
    lastUsedAt: createdAtColumn('last_used_at'),
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
    // Eviction: what was not used for longest.
    constraint.index('last_used', [t.modelVersionId, t.lastUsedAt]),
    // The sweep of what has expired.
    constraint.index('expires', [t.expiresAt], sql`${t.expiresAt} is not null`),
  ],
);
