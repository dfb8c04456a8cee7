import { MigrateError } from '../errors.ts';
import { quoteIdentifier } from '../quote.ts';

/** Makes a CREATE TABLE of drizzle-kit, which knows no partitions, RANGE-partitioned by `column`. */
export function partitionTable(createTable: string, column: string): string {
  if (!createTable.endsWith(');')) {
    throw new MigrateError('unreadable_kit_sql', 'drizzle-kit wrote CREATE TABLE in an unknown form.');
  }
  return `${createTable.slice(0, -1)} PARTITION BY RANGE (${quoteIdentifier(column)});`;
}

function defaultPartitionName(table: string): string {
  return `${table}_default`;
}

/**
 * The default partition, made by PARTITION OF (ATTACH validates under row level security). A partition inherits neither
 * RLS nor its absence; without policy and grants nobody reads it but through its parent.
 */
export function createDefaultPartition(table: string): readonly string[] {
  const partition = quoteIdentifier(defaultPartitionName(table));
  return [
    `CREATE TABLE ${partition} PARTITION OF ${quoteIdentifier(table)} DEFAULT;`,
    `ALTER TABLE ${partition} ENABLE ROW LEVEL SECURITY;`,
    `ALTER TABLE ${partition} FORCE ROW LEVEL SECURITY;`,
  ];
}
