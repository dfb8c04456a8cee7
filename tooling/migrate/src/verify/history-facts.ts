import { expectedListing } from '../adopt.ts';
import { MigrateError } from '../errors.ts';
import { type HistoryRow, readHistory } from '../history.ts';
import { readListing } from '../listing.ts';
import { diffListings, type ListingChange, readListingChange } from '../listing-change.ts';
import { type FolderProblem, findFolderProblems, readMigrationsFolderUnchecked } from '../migrations-folder.ts';
import { type HistoryInspection, inspectHistory } from '../plan.ts';
import type { VerifyClient } from './load-catalog.ts';

/** The history beside the folder, and the live listing beside what the applied files make. */
export interface HistoryFacts {
  /** False before the first migration. */
  readonly present: boolean;
  readonly folderProblems: readonly FolderProblem[];
  readonly inspection: HistoryInspection;
  /** What is missing in the database (`removed`) and what is there in excess; or why nobody can say. */
  readonly listing: ListingChange | { readonly unknown: string };
  /** The package whose migration made a table, where its file says so. */
  readonly packageOf: ReadonlyMap<string, string>;
}

export async function readHistoryFacts(client: VerifyClient, directory: string): Promise<HistoryFacts> {
  const folder = await readMigrationsFolderUnchecked(directory);
  const rows = await readHistory({ run: async (text) => await client.unsafe(text) });
  const history: readonly HistoryRow[] = rows ?? [];
  const held = new Set(history.map((row) => row.file));
  const inspection = inspectHistory(folder, history);
  const packageOf = new Map<string, string>();
  for (const { name, composedFrom } of folder.files) {
    if (composedFrom === undefined) continue;
    for (const line of (await readListingChange(folder.path, name))?.added ?? []) {
      const table = /^table (\S+): /.exec(line)?.[1];
      if (table !== undefined) packageOf.set(table, composedFrom);
    }
  }
  const readDifference = async (): Promise<HistoryFacts['listing']> => {
    const half = inspection.statuses.find(({ state }) => state === 'unfinished');
    if (half !== undefined) return { unknown: `${half.file} is not finished.` };
    try {
      const files = folder.files.filter(({ file }) => held.has(file));
      return diffListings(await expectedListing(folder, files), await readListing(client));
    } catch (error) {
      if (error instanceof MigrateError) return { unknown: error.message };
      throw error;
    }
  };
  return {
    present: rows !== undefined,
    folderProblems: findFolderProblems(folder),
    inspection,
    listing: await readDifference(),
    packageOf,
  };
}
