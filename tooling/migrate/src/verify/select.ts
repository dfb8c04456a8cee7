import type { Catalog, ColumnRow, RelationRow } from './catalog.ts';
import type { Facts, Finding, Rule } from './rule.ts';

/** The one table without a tenant. */
export const exemptTable = 'migration_history';

/** What the tenants' rows stand in: tables and partitioned tables, without partitions and the exempt one. */
export function tenantTables({ relations }: Catalog): readonly RelationRow[] {
  return relations.filter(
    ({ kind, isPartition, name }) => (kind === 'r' || kind === 'p') && !isPartition && name !== exemptTable,
  );
}

export function partitions({ relations }: Catalog): readonly RelationRow[] {
  return relations.filter(({ isPartition }) => isPartition);
}

/** Tables and partitions, without the exempt table. */
export function allTables({ relations }: Catalog): readonly RelationRow[] {
  return relations.filter(({ kind, name }) => (kind === 'r' || kind === 'p') && name !== exemptTable);
}

export function columnOf(catalog: Catalog, table: string, column: string): ColumnRow | undefined {
  return catalog.columns.find((candidate) => candidate.table === table && candidate.name === column);
}

/** A rule that reports each of `rows`. */
export function ruleOver<Row>(
  name: string,
  protects: string,
  rows: (catalog: Catalog, facts: Facts) => readonly Row[],
  finding: (row: Row, catalog: Catalog) => Finding,
): Rule {
  return {
    name,
    protects,
    check: (facts) => rows(facts.catalog, facts).map((row) => finding(row, facts.catalog)),
  };
}
