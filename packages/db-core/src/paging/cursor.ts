import { createHash } from 'node:crypto';
import { DomainError } from '../errors.ts';
import { PAGING_LIMITS } from '../limits.ts';
import type { SortValues } from './keyset.ts';
import type { SortTerm } from './sort-term.ts';

/** Goes up when the content of a cursor changes its meaning; cursors of other versions are refused. */
const VERSION = 1;

/**
 * A digest of what a cursor belongs to: tenant, what is listed, filter and order. The cursor carries the digest alone,
 * so that it tells nobody whose it is.
 */
export function queryFingerprint(query: unknown): string {
  return digest(JSON.stringify(query, namedNumbers), 16);
}

/** Packs the sort values of the last row of a page into an opaque, URL-safe text. */
export function encodeCursor(fingerprint: string, values: SortValues): string {
  const cursor = Buffer.from(JSON.stringify([VERSION, fingerprint, checksum(fingerprint, values), ...values])).toString(
    'base64url',
  );
  if (cursor.length <= PAGING_LIMITS.cursorLength) return cursor;
  const limit = PAGING_LIMITS.cursorLength;
  throw new DomainError('invalid_input', `The order leads to a cursor of more than ${limit} characters.`, {
    details: { field: 'orderBy', limit, got: cursor.length },
  });
}

/**
 * Unpacks a cursor that `encodeCursor` made for the same query.
 *
 * @throws DomainError `invalid_input` for one of another query or tenant, and for text that is no whole cursor; both say
 * which of the two it is and nothing else.
 */
export function decodeCursor(cursor: unknown, fingerprint: string, terms: readonly SortTerm[]): SortValues {
  const parts = unpack(cursor);
  if (parts === undefined) throw invalidCursor('is not one that this function gave, or is not whole');
  const [version, belongsTo, sum, ...values] = parts;
  if (version !== VERSION) throw invalidCursor('is of another version; begin again without one');
  if (!isSortValues(values) || typeof belongsTo !== 'string' || sum !== checksum(belongsTo, values)) {
    throw invalidCursor('is not one that this function gave, or is not whole');
  }
  if (belongsTo !== fingerprint) {
    throw invalidCursor('belongs to another query; keep filter, order and what is listed as they were');
  }
  const fits =
    values.length === terms.length &&
    terms.every((term, index) => {
      const value = values[index] ?? null;
      return value === null ? term.nullable : term.accepts(value);
    });
  if (!fits) throw invalidCursor('is not one that this function gave, or is not whole');
  return values;
}

function unpack(cursor: unknown): readonly unknown[] | undefined {
  if (typeof cursor !== 'string' || cursor.length > PAGING_LIMITS.cursorLength) return undefined;
  // Buffer skips what is not base64url; a cursor is refused for it.
  if (!/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function isSortValues(values: readonly unknown[]): values is SortValues {
  return values.every((value) => value === null || typeof value === 'string');
}

function invalidCursor(why: string): DomainError {
  return new DomainError('invalid_input', `The cursor ${why}.`, { details: { field: 'cursor' } });
}

/** Finds damage, not malice: what a forged cursor can hold is checked by type, bound, and read under the tenant's policy. */
function checksum(fingerprint: string, values: SortValues): string {
  return digest(JSON.stringify([fingerprint, values]), 8);
}

function digest(text: string, bytes: number): string {
  return createHash('sha256').update(text).digest().subarray(0, bytes).toString('base64url');
}

/** JSON has no NaN and no infinities and writes all three as null: two filters would be one. */
function namedNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value;
}
