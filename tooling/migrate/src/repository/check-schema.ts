import { findFolderProblems, type MigrationsFolder } from '../migrations-folder.ts';
import type { SchemaPackage } from '../packages.ts';
import { findRollbackOf, isIntroduced } from './chain.ts';
import type { CheckProblem } from './check-report.ts';
import { readSnapshot } from './journal.ts';
import { diffSnapshots, emptySnapshot, snapshotTables, tablesOf, withTables } from './kit.ts';

/** The first comparison, without a database: drizzle-kit finds nothing to do between the last snapshot and the schemas. */
export async function findSchemaProblems(
  folder: MigrationsFolder,
  packages: readonly SchemaPackage[],
): Promise<readonly CheckProblem[]> {
  const last = folder.files.at(-1);
  const snapshot = last === undefined ? emptySnapshot : await readSnapshot(folder.path, last.name);
  const written = packages.filter((pack) => isIntroduced(folder.files, pack));
  const missing = packages.filter((pack) => !written.includes(pack)).map((pack) => withoutMigration(folder, pack));
  const tables = await snapshotTables(written.flatMap((pack) => pack.tables));
  const statements = await diffSnapshots(snapshot, withTables(snapshot, tables));
  const problems = findFolderProblems(folder).map(
    ({ code, message }): CheckProblem => ({ comparison: 'schema', code, message, missing: [], unexpected: [] }),
  );
  if (statements.length === 0) return [...problems, ...missing];
  const owners = written.filter((pack) =>
    pack.tables.some(({ name }) => JSON.stringify(tables[name]) !== JSON.stringify(tablesOf(snapshot)[name])),
  );
  const names = owners.map(({ name }) => name).join(', ');
  return [
    ...problems,
    ...missing,
    {
      comparison: 'schema',
      code: 'schema_differs',
      message: `The migrations do not make what ${names === '' ? 'the packages' : names} declare${owners.length === 1 ? 's' : ''}. Run db:generate.`,
      missing: statements,
      unexpected: [],
    },
  ];
}

function withoutMigration(folder: MigrationsFolder, pack: SchemaPackage): CheckProblem {
  const rollback = findRollbackOf(folder.files, pack);
  const why = rollback === undefined ? '' : `: ${rollback.rollsBack.join(' and ')} was rolled back by ${rollback.file}`;
  return {
    comparison: 'schema',
    code: 'schema_without_migration',
    message: `The schema of ${pack.name} has no migration${why}. Run db:generate to write one.`,
    missing: [],
    unexpected: [],
  };
}
