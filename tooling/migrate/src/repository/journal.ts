import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, MigrateError } from '../errors.ts';
import { formatMigrationNumber, parseMigrationName } from '../migrations-folder.ts';
import type { Snapshot } from './kit.ts';

/**
 * `meta/_journal.json`, from which `drizzle-kit check` and `generate` know the files. Kit compares `when` of the files with
 * one another only; the number in its place keeps the journal the same on every machine.
 */
export function formatJournal(names: readonly string[]): string {
  const entries = names.map((name, idx) => ({
    idx,
    version: '7',
    when: parseMigrationName(name)?.number ?? idx,
    tag: name,
    breakpoints: true,
  }));
  return formatJson({ version: '7', dialect: 'postgresql', entries });
}

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Reads the snapshot of one file; refuses one that is missing: kit's diff would make everything again. */
export async function readSnapshot(migrationsPath: string, name: string): Promise<Snapshot> {
  const path = join(migrationsPath, 'meta', `${name}.json`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const number = formatMigrationNumber(parseMigrationName(name)?.number ?? 0);
    throw new MigrateError(
      'snapshot_missing',
      `${path} cannot be read. Restore it: it is what the diff after ${number} starts from.`,
      exitCodes.refused,
      {
        cause,
      },
    );
  }
  const snapshot: Snapshot = JSON.parse(text);
  return snapshot;
}
