import type { RunnerSession } from '../connection.ts';
import { quoteIdentifier, quoteLiteral } from '../quote.ts';
import { type Month, monthOf } from './month.ts';
import { createMonth, inMonth, setForce } from './partition-statements.ts';
import type { PartitionedTable } from './read-partitions.ts';

// The 48 bits of milliseconds that a v7 id begins with.
const timeOf = (key: string) =>
  `to_timestamp(('x' || encode(substring(uuid_send(${quoteIdentifier(key)}) from 1 for 6), 'hex'))::bit(48)::bigint / 1000::float8)`;

/** The months that rows of the default partition belong to. Inside a transaction that is rolled back: it lifts FORCE. */
export async function readMonthsOfDefault(session: RunnerSession, table: PartitionedTable): Promise<readonly Month[]> {
  for (const statement of setForce([table.defaultPartition], 'no force')) await session.run(statement);
  const rows = await session.run(`
    select distinct (extract(epoch from date_trunc('month', ${timeOf(table.key)}, 'UTC')) * 1000)::float8 as from_ms
      from ${quoteIdentifier(table.defaultPartition)}
     order by 1`);
  return rows.map((row) => monthOf(new Date(Number(row['from_ms']))));
}

/**
 * Makes the partition of a month and puts the rows there that the default partition has of it; how many. Inside a
 * transaction. Whoever reads or writes the table waits until it ends.
 */
export async function makeMonthFromDefault(
  session: RunnerSession,
  table: PartitionedTable,
  month: Month,
): Promise<number> {
  const [parent, rest] = [table.name, table.defaultPartition].map(quoteIdentifier);
  const columns = table.columns.map(quoteIdentifier).join(', ');
  for (const statement of setForce([table.name, table.defaultPartition], 'no force')) await session.run(statement);
  await session.run(
    `create temporary table moved_rows on commit drop as select ${columns} from ${rest} where ${inMonth(table, month)}`,
  );
  await session.run(`delete from ${rest} where ${inMonth(table, month)}`);
  for (const statement of createMonth(table.name, month)) await session.run(statement);
  const [moved] = await session.run(
    `with moved as (insert into ${parent} (${columns}) select ${columns} from moved_rows returning 1) select count(*) from moved`,
  );
  await truncateIfEmpty(session, table);
  for (const statement of setForce([table.name, table.defaultPartition], 'force')) await session.run(statement);
  return Number(moved?.['count'] ?? 0);
}

/** Deletes the rows of the default partition that are older than an id, as retention would; how many. In a transaction. */
export async function deleteFromDefault(
  session: RunnerSession,
  table: PartitionedTable,
  below: string,
): Promise<number> {
  for (const statement of setForce([table.defaultPartition], 'no force')) await session.run(statement);
  const [gone] = await session.run(
    `with gone as (delete from ${quoteIdentifier(table.defaultPartition)} where ${quoteIdentifier(table.key)} < ${quoteLiteral(below)} returning 1) select count(*) from gone`,
  );
  await truncateIfEmpty(session, table);
  for (const statement of setForce([table.defaultPartition], 'force')) await session.run(statement);
  return Number(gone?.['count'] ?? 0);
}

/** Gives back the pages of deleted rows, so that the next run sees at once that it is empty, without a lock. */
async function truncateIfEmpty(session: RunnerSession, table: PartitionedTable): Promise<void> {
  const rest = quoteIdentifier(table.defaultPartition);
  const [row] = await session.run(`select exists (select from ${rest}) as filled`);
  if (row?.['filled'] !== true) await session.run(`truncate ${rest}`);
}
