import type { RunnerSession } from '../connection.ts';
import { quoteIdentifier } from '../quote.ts';
import { deleteFromDefault } from './drain-default.ts';
import { pastPartitionName } from './month.ts';
import { createPartition } from './partition-statements.ts';
import type { Partition, PartitionedTable } from './read-partitions.ts';

export interface DroppedPartitions {
  readonly dropped: readonly string[];
  /** Rows of the default partition that were as old. */
  readonly deletedRows: number;
}

/**
 * Drops the partitions that lie wholly before an id, and leaves one in their place, from the lowest id up to there: rows
 * that come late are taken and go with the next run, and its bound tells what makes aggregates that their events are
 * gone. Inside a transaction; undefined where there is nothing to do.
 */
export async function dropPartitions(
  session: RunnerSession,
  table: PartitionedTable,
  cutoff: string,
): Promise<DroppedPartitions | undefined> {
  const past = table.partitions.find(({ name }) => name === pastPartitionName(table.name));
  // A longer retention than before does not bring rows back.
  const wanted = past?.to !== undefined && past.to > cutoff ? past.to : cutoff;
  const old = table.partitions.filter((partition) => partition !== past && isBefore(partition, wanted));
  const kept = table.partitions.filter((partition) => partition !== past && !old.includes(partition));
  // A partition that someone made, which goes on beyond the cutoff, stays whole.
  const upTo = kept.reduce((lowest, { from }) => (from < lowest ? from : lowest), wanted);
  const isDone = old.length === 0 && past?.to === upTo && !past.hasPages;
  if (upTo === '' || (isDone && !table.defaultHasPages)) return undefined;
  const deletedRows = table.defaultHasPages ? await deleteFromDefault(session, table, upTo) : 0;
  if (isDone) return deletedRows === 0 ? undefined : { dropped: [], deletedRows };
  for (const { name } of past === undefined ? old : [...old, past]) {
    await session.run(`drop table ${quoteIdentifier(name)}`);
  }
  for (const statement of createPartition(table.name, pastPartitionName(table.name), '', upTo)) {
    await session.run(statement);
  }
  return { dropped: old.map(({ name }) => name), deletedRows };
}

const isBefore = ({ to }: Partition, id: string) => to !== undefined && to <= id;
