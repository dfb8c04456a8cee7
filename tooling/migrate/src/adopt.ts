import type { RunnerSession } from './connection.ts';
import { MigrateError } from './errors.ts';
import { adoptRow, type HistoryRow } from './history.ts';
import { readListing } from './listing.ts';
import {
  diffListings,
  isEmptyChange,
  type ListingChange,
  readListingChange,
  sumListingChanges,
} from './listing-change.ts';
import type { MigrationFile, MigrationsFolder } from './migrations-folder.ts';
import type { MigrationStatus } from './plan.ts';

/**
 * Takes rows that a hand wrote (no checksum) as applied, when the live listing is what the files of the history make.
 * Otherwise refuses (`listing_differs`) and names the lines.
 */
export async function adoptByHand(
  session: RunnerSession,
  folder: MigrationsFolder,
  history: readonly HistoryRow[],
  rows: readonly MigrationStatus[],
): Promise<readonly string[]> {
  if (rows.length === 0) return [];
  const held = new Set(history.map((row) => row.file));
  const expected = await expectedListing(
    folder,
    folder.files.filter((file) => held.has(file.file)),
  );
  const difference = diffListings(expected, await readListing(session.sql));
  if (!isEmptyChange(difference)) {
    throw new MigrateError(
      'listing_differs',
      `${rows.map((row) => row.file).join(', ')} ${rows.length === 1 ? 'was' : 'were'} applied by hand, and the database is not what the migrations make of it:\n` +
        `${describeDifference(difference)}\nBring the database to that state, then run the migrations again.`,
    );
  }
  for (const { row, migration } of rows) {
    if (row !== undefined && migration !== undefined) await adoptRow(session, row, migration.checksum);
  }
  return rows.map((row) => row.file);
}

/** What a database holds after exactly these files: the sum of the changes in `listing/`. */
export async function expectedListing(
  folder: MigrationsFolder,
  files: readonly MigrationFile[],
): Promise<readonly string[]> {
  const changes = await Promise.all(
    files.map(async (file): Promise<ListingChange> => {
      const change = await readListingChange(folder.path, file.name);
      if (change === undefined) {
        throw new MigrateError(
          'missing_listing',
          `listing/${file.name}.txt is not in ${folder.path}; without it nothing can be said about what ${file.file} makes. Restore it, or write it with db:generate.`,
        );
      }
      return change;
    }),
  );
  return sumListingChanges(changes);
}

/** `+ line` is in the database only, `- line` is missing there. */
export function describeDifference(difference: ListingChange, most = 20): string {
  const lines = [...difference.removed.map((line) => `  - ${line}`), ...difference.added.map((line) => `  + ${line}`)];
  const rest = lines.length - most;
  return [...lines.slice(0, most), ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n');
}
