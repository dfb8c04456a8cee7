import type { TenantTx } from '@mcp-hub/db-core';
import { readBatchJobs } from './read-batch-jobs.ts';
import { readDrift } from './read-drift.ts';
import { readPerformance } from './read-performance.ts';
import { readTelemetry } from './read-telemetry.ts';
import type { ConditionSource } from './sources.ts';
import type { Reading, SourceOf, Wanted } from './wanted.ts';

/** How the numbers of one kind of source are read. */
interface SourceReader<Source extends ConditionSource> {
  /** Any number of sources in one statement. */
  readonly read: (tx: TenantTx, wanted: readonly Wanted<Source>[]) => Promise<readonly Reading[]>;
  /** The number of a series that the reader gives no reading of; null: it misses. */
  readonly unread: number | null;
}

const readers: { readonly [Name in ConditionSource['source']]: SourceReader<SourceOf<Name>> } = {
  telemetry: { read: readTelemetry, unread: null },
  // Where there are no jobs there are none that failed.
  batch_jobs: { read: readBatchJobs, unread: 0 },
  drift: { read: readDrift, unread: null },
  performance: { read: readPerformance, unread: null },
};

export const unreadValue = ({ source }: ConditionSource): number | null => readers[source].unread;

/** Reads all that is wanted, in one flight of a statement a kind of source. No lock. */
export async function readSources(tx: TenantTx, wanted: readonly Wanted[]): Promise<readonly Reading[]> {
  const read = <Name extends ConditionSource['source']>(name: Name) =>
    readers[name].read(
      tx,
      wanted.filter((one): one is Wanted<SourceOf<Name>> => one.of.source === name),
    );
  const found = await Promise.all([read('telemetry'), read('batch_jobs'), read('drift'), read('performance')]);
  return found.flat();
}
