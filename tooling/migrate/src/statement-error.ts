import { errorCodeOf } from './connection-error.ts';
import { exitCodes, MigrateError } from './errors.ts';
import type { MigrationFile } from './migrations-folder.ts';
import { lineOf, type SqlStatement } from './sql-statements.ts';

/** A statement of a migration failed. `line` counts in the file, from 1. */
export class StatementError extends MigrateError {
  readonly file: string;
  readonly line: number;
  readonly sqlstate: string;

  constructor(file: string, line: number, sqlstate: string, message: string) {
    super('statement_failed', message, exitCodes.unexpected);
    this.file = file;
    this.line = line;
    this.sqlstate = sqlstate;
  }
}

/** Names the file, the line (that of the error's position, else the statement's first) and the SQLSTATE. */
export function toStatementError(file: MigrationFile, statement: SqlStatement, error: unknown, note = ''): unknown {
  const sqlstate = errorCodeOf(error);
  if (!(error instanceof Error) || sqlstate === undefined || !/^[0-9A-Z]{5}$/.test(sqlstate)) return error;
  const position = Number(fieldOf(error, 'position') ?? Number.NaN);
  const line = Number.isInteger(position) ? statement.line + lineOf(statement.text, position - 1) - 1 : statement.line;
  const parts = [
    `${file.file}:${line}: ${withoutValues(error.message, sqlstate)} (SQLSTATE ${sqlstate})`,
    `  in: ${shortened(statement.text)}`,
  ];
  // Details of 22 and 23 (data, constraints) and context lines quote rows; those of other classes name objects.
  const detail = /^2[23]/.test(sqlstate) ? undefined : fieldOf(error, 'detail');
  if (detail !== undefined) parts.push(`  detail: ${detail}`);
  const hint = fieldOf(error, 'hint');
  if (hint !== undefined) parts.push(`  hint: ${hint}`);
  const routine = /^PL\/pgSQL function .* line \d+ at [\w /]+$/m.exec(fieldOf(error, 'where') ?? '')?.[0];
  if (routine !== undefined) parts.push(`  at: ${routine}`);
  if (note !== '') parts.push(`  ${note}`);
  return new StatementError(file.file, line, sqlstate, parts.join('\n'));
}

/** `invalid input syntax for type integer: "…"` quotes the value. */
function withoutValues(message: string, sqlstate: string): string {
  return sqlstate.startsWith('22') ? message.replace(/: ".*$/s, '') : message;
}

function shortened(text: string, length = 100): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

function fieldOf(error: Error, field: string): string | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
