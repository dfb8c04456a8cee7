import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { readSeries, readSummary, refreshAggregates, type TelemetrySummary } from '@mcp-hub/telemetry';
import type { Run, Trial } from '@mcp-hub/training';
import { EPOCH_METRIC } from './train-run.ts';
import { TRIAL_METRIC } from './tuning-study.ts';

/** How long the steps took, by telemetry. In ms; percentiles are the median and that of 99 %. */
export interface Durations {
  readonly epochs: TelemetrySummary;
  readonly trials: TelemetrySummary;
  /** The mean of the trials in the minute in which they took longest. */
  readonly slowestMinute: number;
}

const percentiles = [0.5, 0.99];

/** Brings the aggregates up to date, and reads what the epochs of runs and the trials of a study took from them. */
export async function readDurations(
  db: Database,
  tenant: string,
  { runs, trials }: { readonly runs: readonly Run[]; readonly trials: readonly Trial[] },
): Promise<Durations> {
  await refreshAll(db, tenant);
  return await withTenant(db, tenant, async (tx) => {
    const ofTrials = { metric: TRIAL_METRIC, ...windowOf(trials) };
    const minutes = await readSeries(tx, { ...ofTrials, step: { minutes: 1 }, timeZone: 'UTC', gaps: 'omit' });
    return {
      epochs: await readSummary(tx, { metric: EPOCH_METRIC, ...windowOf(runs), percentiles }),
      trials: await readSummary(tx, { ...ofTrials, percentiles }),
      slowestMinute: Math.max(0, ...minutes.map(({ mean }) => mean ?? 0)),
    };
  });
}

/** As telemetryRefreshHandler does it in a service, some seconds after values were recorded; here at once. */
async function refreshAll(db: Database, tenant: string): Promise<void> {
  const refresh = (tx: TenantTx) => refreshAggregates(tx);
  while ((await withTenant(db, tenant, refresh)).more);
}

/** From the first start to the last end, and the minute of that. */
function windowOf(steps: readonly { readonly startedAt: Date | null; readonly endedAt: Date | null }[]) {
  const times = steps.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]).filter((at) => at !== null);
  return {
    from: new Date(Math.min(...times.map(Number))),
    to: new Date(Math.max(...times.map(Number)) + 60_000),
  };
}
