import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { readListing } from '../src/listing.ts';
import { diffListings, formatListingChange } from '../src/listing-change.ts';
import { readMigrationsFolder } from '../src/migrations-folder.ts';
import { freshDatabase } from './run-support.ts';

/** Writes `listing/` of a folder: what each of its files makes of an empty database. */
export async function writeListings(folder: string): Promise<void> {
  const url = await freshDatabase();
  mkdirSync(join(folder, 'listing'), { recursive: true });
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    let before = await readListing(sql);
    for (const file of (await readMigrationsFolder(folder)).files) {
      await sql.unsafe(file.sql);
      const after = await readListing(sql);
      writeFileSync(join(folder, 'listing', `${file.name}.txt`), formatListingChange(diffListings(before, after)));
      before = after;
    }
  } finally {
    await sql.end();
  }
}
