import type { TenantTx } from '@mcp-hub/db-core';
import { readBatchJobs } from './read-batch-jobs.ts';
import { readDrift } from './read-drift.ts';
import { readPerformance } from './read-performance.ts';
import { readTelemetry } from './read-telemetry.ts';
import type { ConditionSource } from './sources.ts';
import type { Reading, SourceOf, Wanted } from './wanted.ts';

/** The number of a series that its reader gives no reading of; null: it misses. */
const unread: { readonly [Name in ConditionSource['source']]: number | null } = {
  telemetry: null,
  // Where there are no jobs there are none that failed.
  batch_jobs: 0,
  drift: null,
  performance: null,
};

export const unreadValue = ({ source }: ConditionSource): number | null => unread[source];

/** Reads all that is wanted, in one flight of a statement a kind of source. No lock. */
export async function readSources(tx: TenantTx, wanted: readonly Wanted[]): Promise<readonly Reading[]> {
  const found = await Promise.all([
    readTelemetry(tx, wanted.filter(isOf('telemetry'))),
    readBatchJobs(tx, wanted.filter(isOf('batch_jobs'))),
    readDrift(tx, wanted.filter(isOf('drift'))),
    readPerformance(tx, wanted.filter(isOf('performance'))),
  ]);
  return found.flat();
}

const isOf =
  <Name extends ConditionSource['source']>(name: Name) =>
  (one: Wanted): one is Wanted<SourceOf<Name>> =>
    one.of.source === name;
