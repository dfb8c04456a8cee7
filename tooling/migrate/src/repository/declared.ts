import { readListing } from '../listing.ts';
import { statementBreakpoint } from '../migrations-folder.ts';
import type { SchemaPackage } from '../packages.ts';
import { composeStatements } from './compose.ts';
import { emptySnapshot, snapshotTables, tablesOf, withTables } from './kit.ts';
import { applyFile, withScratchDatabase } from './replay.ts';

/** The listing of a database made straight from the declarations of those packages that `include` picks. */
export async function listDeclared(
  serverUrl: string,
  packages: readonly SchemaPackage[],
  include: (pack: SchemaPackage) => boolean,
): Promise<readonly string[]> {
  return withScratchDatabase(serverUrl, async (sql) => {
    let previous = emptySnapshot;
    for (const pack of packages.filter(include)) {
      const current = withTables(previous, { ...tablesOf(previous), ...(await snapshotTables(pack.tables)) });
      const { statements } = await composeStatements({
        package: pack,
        tables: packages.flatMap(({ tables }) => tables),
        previous,
        current,
        initial: true,
        listing: [],
        renames: [],
      });
      await applyFile(sql, {
        file: pack.migration,
        sql: statements.join(`\n${statementBreakpoint}\n`),
        statements,
        transactional: true,
      });
      previous = current;
    }
    return readListing(sql);
  });
}
