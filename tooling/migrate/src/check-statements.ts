import { MigrateError } from './errors.ts';
import type { MigrationFile } from './migrations-folder.ts';
import { type SqlStatement, splitSqlStatements } from './sql-statements.ts';

const transactionControl =
  /^(begin|start\s+transaction|commit|end|abort|rollback|savepoint|release|prepare\s+transaction)\b/i;

/**
 * The statements of a file. Refuses those that the runner cannot hold its promises with: transaction control (a COMMIT
 * would end the transaction that makes the file all or nothing) and COPY FROM STDIN (there is no input).
 */
export function statementsOf(file: MigrationFile): readonly SqlStatement[] {
  const statements = splitSqlStatements(file.sql);
  for (const statement of statements) {
    if (transactionControl.test(statement.text)) {
      throw new MigrateError(
        'transaction_control',
        `${file.file}:${statement.line}: a migration does not begin or end transactions itself; the runner puts the file into one. ` +
          `A statement that cannot run in a transaction goes into a file whose first line is "-- no-transaction".`,
      );
    }
    if (/^copy\b[\s\S]*\bfrom\s+stdin\b/i.test(statement.text)) {
      throw new MigrateError(
        'copy_from_stdin',
        `${file.file}:${statement.line}: COPY FROM STDIN has no input here; use INSERT.`,
      );
    }
  }
  return statements;
}
