import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, MigrateError } from './errors.ts';
import { parseListing } from './listing.ts';

/** What a file makes of the listing: lines that come and lines that go. */
export interface ListingChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** The change that makes `after` of `before`; both sorted. */
export function diffListings(before: readonly string[], after: readonly string[]): ListingChange {
  const had = new Set(before);
  const has = new Set(after);
  return {
    added: after.filter((line) => !had.has(line)),
    removed: before.filter((line) => !has.has(line)),
  };
}

export function isEmptyChange(change: ListingChange): boolean {
  return change.added.length === 0 && change.removed.length === 0;
}

/** The listing after `changes`, in that order, from `listing` (an empty database's when not given). */
export function sumListingChanges(
  changes: readonly ListingChange[],
  listing: readonly string[] = [],
): readonly string[] {
  const lines = new Set(listing);
  for (const change of changes) {
    for (const line of change.removed) lines.delete(line);
    for (const line of change.added) lines.add(line);
  }
  return [...lines].sort();
}

/** The text of `listing/NNN_name.txt`: `- line` and `+ line`, sorted by line. */
export function formatListingChange(change: ListingChange): string {
  return [...change.removed.map((line) => ({ sign: '-', line })), ...change.added.map((line) => ({ sign: '+', line }))]
    .sort((a, b) => (a.line < b.line ? -1 : a.line > b.line ? 1 : a.sign < b.sign ? 1 : -1))
    .map(({ sign, line }) => `${sign} ${line}\n`)
    .join('');
}

export function parseListingChange(text: string): ListingChange {
  const lines = parseListing(text);
  const bad = lines.find((line) => !/^[+-] /.test(line));
  if (bad !== undefined) {
    throw new MigrateError(
      'invalid_listing',
      `A line of a listing change starts neither with "+ " nor with "- ": ${bad}`,
      exitCodes.usage,
    );
  }
  return {
    added: lines.filter((line) => line.startsWith('+ ')).map((line) => line.slice(2)),
    removed: lines.filter((line) => line.startsWith('- ')).map((line) => line.slice(2)),
  };
}

/** Reads `listing/NNN_name.txt` of one migration; undefined when the file is not there. */
export async function readListingChange(migrationsPath: string, name: string): Promise<ListingChange | undefined> {
  let text: string;
  try {
    text = await readFile(join(migrationsPath, 'listing', `${name}.txt`), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return parseListingChange(text);
}
