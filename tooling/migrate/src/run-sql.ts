import postgres, { type Sql } from 'postgres';
import { errorCodeOf, toUnreachable } from './connection-error.ts';
import { processStreams } from './output.ts';
import { splitSqlStatements } from './sql-statements.ts';

/** What one statement gave: a table, or only its tag. */
export interface SqlResult {
  /** `SELECT`, `INSERT`. */
  readonly command: string;
  readonly count: number;
  readonly columns: readonly string[];
  /** As the server writes the values; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface SqlOutcome {
  readonly statement: string;
  readonly result: SqlResult | undefined;
  /** The error as psql shows it; undefined when there is none. */
  readonly error: string | undefined;
}

/**
 * Runs statements one after the other, each a transaction of its own unless the text begins one, as psql does with a file:
 * after an error it goes on.
 */
export async function runSql(url: string, text: string, onOutcome: (outcome: SqlOutcome) => void): Promise<boolean> {
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    max_lifetime: null,
    connect_timeout: 10,
    connection: { application_name: 'mcp-hub-sql' },
    onnotice: (notice) => processStreams.error(`${notice['severity']}:  ${notice['message']}\n`),
  });
  let allWell = true;
  try {
    for (const { text: statement } of splitSqlStatements(text)) {
      const outcome = await runOne(sql, statement, url);
      if (outcome.error !== undefined) allWell = false;
      onOutcome(outcome);
    }
    return allWell;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function runOne(sql: Sql, statement: string, url: string): Promise<SqlOutcome> {
  try {
    const rows = await sql.unsafe(statement).raw();
    const { columns } = rows;
    return {
      statement,
      error: undefined,
      result: {
        command: rows.command ?? '',
        count: rows.count ?? 0,
        columns: Array.isArray(columns) ? columns.map(({ name }) => name) : [],
        rows: rows.map((row) => [...row].map((cell) => (cell === null ? null : Buffer.from(cell).toString('utf8')))),
      },
    };
  } catch (error) {
    const unreachable = toUnreachable(error, url);
    if (unreachable !== undefined) throw unreachable;
    if (!(error instanceof Error) || errorCodeOf(error) === undefined) throw error;
    return { statement, result: undefined, error: `${error.message} (SQLSTATE ${errorCodeOf(error)})` };
  }
}

/** As psql prints it. */
export function formatSqlResult(result: SqlResult): readonly string[] {
  if (result.columns.length === 0) return [result.count > 0 ? `${result.command} ${result.count}` : result.command];
  const cells = result.rows.map((row) => row.map((cell) => cell ?? ''));
  const widths = result.columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    ` ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')}`.trimEnd();
  return [
    line(result.columns),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.map(line),
    `(${cells.length} ${cells.length === 1 ? 'row' : 'rows'})`,
    '',
  ];
}
