import type { Catalog, RelationRow } from './catalog.ts';
import type { Rule } from './rule.ts';
import { columnOf, partitions, ruleOver } from './select.ts';

const partitioned = ({ relations }: Catalog) =>
  relations.filter(({ kind, isPartition }) => kind === 'p' && !isPartition);

function isByTimeOfId(catalog: Catalog, { name, strategy, partitionColumns }: RelationRow): boolean {
  const [column, ...more] = partitionColumns;
  return (
    strategy === 'r' &&
    more.length === 0 &&
    typeof column === 'string' &&
    columnOf(catalog, name, column)?.type === 'uuid'
  );
}

/** A check over the partition key and a time column of the row. */
function hasTimeCheck(catalog: Catalog, { name, partitionColumns }: RelationRow): boolean {
  return catalog.constraints.some(
    ({ table, type, columns }) =>
      table === name &&
      type === 'c' &&
      partitionColumns.every((column) => column !== null && columns.includes(column)) &&
      columns.some((column) => columnOf(catalog, name, column)?.type.startsWith('timestamp') === true),
  );
}

export const partitionRules: readonly Rule[] = [
  ruleOver(
    'partition-without-grants',
    'Whoever may read a partition directly goes past the policy of its parent.',
    (catalog) => partitions(catalog).filter(({ grants }) => grants.length > 0),
    ({ name, grants }) => ({
      object: name,
      message: `is a partition with grants. Run: revoke all on ${name} from ${[...new Set(grants.map(({ grantee }) => grantee))].join(', ')};`,
    }),
  ),
  ruleOver(
    'partition-key',
    'Only RANGE over the v7 id keeps the primary key (tenant_id, id), one row an id, and a window of time a range of ids.',
    (catalog) => partitioned(catalog).filter((table) => !isByTimeOfId(catalog, table)),
    ({ name }) => ({
      object: name,
      message:
        'is not partitioned by RANGE over one uuid column. Make the table anew with partitionBy in tenantTable().',
    }),
  ),
  ruleOver(
    'partition-time-check',
    'A row whose own time differs from that of its id lies in the wrong partition and is dropped too early or never.',
    (catalog) => partitioned(catalog).filter((table) => isByTimeOfId(catalog, table) && !hasTimeCheck(catalog, table)),
    ({ name, partitionColumns }) => ({
      object: name,
      message: `has no check that ties its time column to ${partitionColumns.join(', ')}. Add one to its constraints and run db:generate.`,
    }),
  ),
  ruleOver(
    'default-partition',
    'Without a default partition a row outside of the partitions that were made ahead is refused.',
    (catalog) =>
      partitioned(catalog).filter(
        ({ name }) => !catalog.relations.some(({ parent, isDefault }) => parent === name && isDefault),
      ),
    ({ name }) => ({
      object: name,
      message: `has no default partition. Run: create table ${name}_default partition of ${name} default; alter table ${name}_default enable row level security; alter table ${name}_default force row level security;`,
    }),
  ),
  ruleOver(
    'default-partition-empty',
    'Rows in the default partition keep the partition that they belong to from being made, and are never dropped by retention.',
    (catalog) => catalog.defaultPartitions,
    ({ name, state }) => ({
      object: name,
      message:
        state === 'filled'
          ? 'holds rows. Run db:maintain, which moves them into partitions of their own.'
          : 'was locked by others for a second, so nobody could look whether it is empty. Run db:verify again.',
    }),
  ),
];
