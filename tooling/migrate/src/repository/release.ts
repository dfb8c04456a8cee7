import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MigrateError } from '../errors.ts';
import { readMigrationsFolder } from '../migrations-folder.ts';
import { loadPackages } from '../packages.ts';
import { findSchemaProblems } from './check-schema.ts';
import { formatJson } from './journal.ts';

export interface ReleaseReport {
  /** The files that can no longer be composed again, edited or preceded. */
  readonly released: readonly string[];
  readonly alreadyReleased: number;
}

/**
 * Marks every file of the chain released, once the chain has been reviewed. Refused while the schemas and the files
 * differ: what is released has to be what the packages say.
 */
export async function release(options: { readonly root: string }): Promise<ReleaseReport> {
  const folder = await readMigrationsFolder(join(options.root, 'migrations'));
  const problems = await findSchemaProblems(folder, await loadPackages(options.root));
  if (problems.length > 0) {
    throw new MigrateError(
      'not_generated',
      [
        'The schemas and the files differ. Run db:generate, review what it writes, and release then.',
        ...problems.map(({ message }) => message),
      ].join('\n'),
    );
  }
  const files = Object.fromEntries(folder.files.map(({ file, checksum }) => [file, checksum]));
  await writeFile(join(folder.path, 'released.json'), formatJson(files));
  const released = folder.files.map(({ file }) => file).filter((file) => !folder.released.has(file));
  return { released, alreadyReleased: folder.released.size };
}
