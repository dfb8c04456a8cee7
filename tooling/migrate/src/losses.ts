import { splitSqlStatements } from './sql-statements.ts';

/** A column or a table that a file drops, with what it adds of the same kind: it may have been meant as a rename. */
export interface Loss {
  readonly table: string;
  readonly column: string | undefined;
  readonly added: readonly string[];
}

const name = '(?:public\\.|"public"\\.)?("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';
const dropColumn = new RegExp(`^alter table (?:if exists )?(?:only )?${name} drop column (?:if exists )?${name}`, 'i');
const addColumn = new RegExp(
  `^alter table (?:if exists )?(?:only )?${name} add column (?:if not exists )?${name}`,
  'i',
);
const dropTable = new RegExp(`^drop table (?:if exists )?${name}`, 'i');
const createTable = new RegExp(`^create table (?:if not exists )?${name}`, 'i');

/** What of the rows goes with a file's statements, as far as their first words say. */
export function findLosses(sql: string): readonly Loss[] {
  const statements = splitSqlStatements(sql).map(({ text }) => text.replace(/\s+/g, ' '));
  const matches = (form: RegExp) =>
    statements.flatMap((text) => {
      const found = form.exec(text);
      return found === null ? [] : [[unquote(found[1]), unquote(found[2])] as const];
    });
  const addedColumns = matches(addColumn);
  const createdTables = matches(createTable).map(([table]) => table);
  return [
    ...matches(dropColumn).map(([table, column]) => ({
      table,
      column,
      added: addedColumns.filter(([other]) => other === table).map(([, added]) => added),
    })),
    ...matches(dropTable).map(([table]) => ({ table, column: undefined, added: createdTables })),
  ];
}

/** `drops model_notes.note with its values` */
export function describeLoss({ table, column }: Loss): string {
  return column === undefined ? `drops ${table} with its rows` : `drops ${table}.${column} with its values`;
}

/** What `db:generate` is to be told where it was a rename; undefined where nothing came that could be the new name. */
export function renameOf({ table, column, added }: Loss): string | undefined {
  if (added.length === 0) return undefined;
  const to = added.length === 1 ? (added[0] ?? '') : 'NEW';
  return column === undefined ? `--rename ${table}:${to}` : `--rename ${table}.${column}:${to}`;
}

function unquote(text: string | undefined): string {
  return text === undefined ? '' : text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}
