// All limits of this package. Each one is named in the error that enforces it, and stands in the README.

/** Of a tenant's id, in Unicode code points, as PostgreSQL counts; the id stands first in every key of every table. */
export const TENANT_ID_MAX_LENGTH = 128;

/** In UTF-16 code units. */
export const TENANT_DISPLAY_NAME_MAX_LENGTH = 256;

/**
 * Limits of filters.
 *
 * They bound the work of one request, not what a user may sensibly ask: a list of a thousand ids fits, and so does a
 * filter that a program wrote. Lists are bound as one array, so that no filter comes near the 65,535 parameters of the
 * protocol.
 */
export const FILTER_LIMITS = {
  /** Characters (UTF-16 code units) of a filter given as text. */
  textLength: 65_536,
  /** Parentheses, NOT, and nested `and`, `or`, `not` objects, one inside the other. */
  depth: 32,
  /** Comparisons in one filter. */
  comparisons: 100,
  /** Values in one IN or NOT IN list. */
  listSize: 1_000,
  /** Characters of a key, as in `tags.<key>`. */
  keyLength: 250,
  /** Characters of one string value. */
  valueLength: 8_000,
} as const;

/** Limits of ordered pages. */
export const PAGING_LIMITS = {
  /** Rows of a page when the caller names no limit. */
  defaultLimit: 100,
  /** Rows of a page at most, where the function itself allows no more. */
  maxLimit: 1_000,
  /** Fields that one order may name. */
  orderTerms: 5,
  /** Characters of an order given as text. */
  orderTextLength: 2_000,
  /** Characters of a cursor; it holds the sort values of one row, of which a tag's may have 8,000 characters. */
  cursorLength: 65_536,
} as const;

export const OUTBOX_LIMITS = { topicLength: 128, subjectIdLength: 256, payloadBytes: 65_536 } as const;

export const WORK_LIMITS = {
  kindLength: 64,
  workKeyLength: 256,
  claimLimit: 1_000,
  concurrency: 1_000,
  leaseMs: 86_400_000,
  handlerTimeoutMs: 86_400_000,
  errorCodeLength: 64,
} as const;

export const IDEMPOTENCY_LIMITS = {
  scopeLength: 128,
  keyLength: 255,
  responseBytes: 262_144,
  ttlMs: 30 * 86_400_000,
  defaultTtlMs: 86_400_000,
} as const;

export const RETENTION_LIMITS = { batchSize: 10_000 } as const;
