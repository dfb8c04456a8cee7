import type { ISql } from 'postgres';
import { listingQuery } from './listing-query.ts';

/** What the deparsers look at, and what it has to be: they leave out a schema that is in search_path. */
const settings = [
  ['search_path', ''],
  ['timezone', 'UTC'],
  ['datestyle', 'ISO, YMD'],
  ['intervalstyle', 'postgres'],
  ['extra_float_digits', '1'],
  ['quote_all_identifiers', 'off'],
] as const;

/** What `readListing` needs of a postgres.js client, a reserved connection or a transaction. */
export type ListingClient = Pick<ISql, 'unsafe'>;

/**
 * Lists every object of schema `public`: sorted lines, one a property, the same bytes on PostgreSQL 15 to 18.
 * An empty database has an empty listing. Works on a client, a reserved connection and inside a transaction,
 * whose settings it leaves as they were. One round trip; takes no locks beyond those of reading the catalog.
 *
 * Left out: partitions other than a default one, temporary tables, members of extensions, role attributes.
 * The owner of `migration_history` (without it, the current role) is written `$owner`.
 */
export async function readListing(sql: ListingClient): Promise<readonly string[]> {
  // One string of the simple protocol is one transaction where none is open, so that set_config(…, true) holds for the
  // query on every kind of client; the values from before are kept in settings of our own and put back at the end.
  const keep = settings.map(([name]) => `set_config('app.listing_${name}', current_setting('${name}'), true)`);
  const set = settings.map(([name, value]) => `set_config('${name}', '${value}', true)`);
  const restore = settings.map(([name]) => `set_config('${name}', current_setting('app.listing_${name}'), true)`);
  const results: unknown = await sql
    .unsafe(`select ${keep.join(', ')}; select ${set.join(', ')}; ${listingQuery}; select ${restore.join(', ')}`)
    .simple();
  const rows: unknown = Array.isArray(results) ? results[2] : undefined;
  if (!Array.isArray(rows)) throw new TypeError('the catalog query gave no result');
  return rows
    .map((row: unknown) => {
      const line = typeof row === 'object' && row !== null && 'line' in row ? row.line : undefined;
      if (typeof line !== 'string') throw new TypeError('the catalog query gave a row without a line');
      return escapeLine(line);
    })
    .sort();
}

/** The text of `schema.txt`: one line each, and a line end after the last. */
export function formatListing(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

export function parseListing(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** A function's body has line ends; the listing is compared line by line. */
function escapeLine(line: string): string {
  return line.replace(/\\/g, '\\\\').replace(/\r?\n/g, '\\n');
}
