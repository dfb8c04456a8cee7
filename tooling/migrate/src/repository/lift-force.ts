import { quoteIdentifier, quoteLiteral } from '../quote.ts';

export interface ForcedTable {
  readonly name: string;
  readonly partitioned: boolean;
}

/**
 * `statements` with FORCE lifted from `tables` before and put back after: the validation of a foreign key runs as the
 * owner, whom FORCE shows no rows. Under psql, too, the tables end forced when a statement between fails.
 */
export function liftForce(tables: readonly ForcedTable[], statements: readonly string[]): readonly string[] {
  return [
    ...tables.map((table) => setForce(table, 'NO FORCE')),
    ...statements,
    ...tables.map((table) => setForce(table, 'FORCE')),
  ];
}

function setForce(table: ForcedTable, force: 'FORCE' | 'NO FORCE'): string {
  if (!table.partitioned) return `ALTER TABLE ${quoteIdentifier(table.name)} ${force} ROW LEVEL SECURITY;`;
  // Each partition is validated by itself, and only the database knows which there are.
  return `DO $force$
DECLARE
  part regclass;
BEGIN
  FOR part IN SELECT relid FROM pg_partition_tree(${quoteLiteral(`public.${quoteIdentifier(table.name)}`)}) LOOP
    EXECUTE format('ALTER TABLE %s ${force} ROW LEVEL SECURITY', part);
  END LOOP;
END
$force$;`;
}
