import { quoteIdentifier, quoteLiteral } from '../quote.ts';
import { idFloor, type Month, partitionName } from './month.ts';
import type { PartitionedTable } from './read-partitions.ts';

/** By PARTITION OF, because ATTACH validates under row level security; a partition inherits neither RLS nor its absence. */
export function createPartition(table: string, partition: string, from: string, to: string): readonly string[] {
  const name = quoteIdentifier(partition);
  const lower = from === '' ? 'minvalue' : quoteLiteral(from);
  return [
    `create table ${name} partition of ${quoteIdentifier(table)} for values from (${lower}) to (${quoteLiteral(to)})`,
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
  ];
}

export const createMonth = (table: string, month: Month): readonly string[] =>
  createPartition(table, partitionName(table, month), idFloor(month.from), idFloor(month.to));

/** Under FORCE the owner sees no row of the table. The locks last until the transaction ends, which puts FORCE back. */
export const setForce = (tables: readonly string[], force: 'force' | 'no force'): readonly string[] =>
  tables.map((table) => `alter table ${quoteIdentifier(table)} ${force} row level security`);

export const inMonth = ({ key }: PartitionedTable, { from, to }: Month): string =>
  `${quoteIdentifier(key)} >= ${quoteLiteral(idFloor(from))} and ${quoteIdentifier(key)} < ${quoteLiteral(idFloor(to))}`;
