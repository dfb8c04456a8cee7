import type { TenantTx } from '@mcp-hub/db-core';
import * as exported from '../../src/index.ts';

/** Functions that take a pool, or nothing, in the place of a transaction. */
export const withoutTransaction = [
  'histogramValue',
  'pruneTelemetry',
  'runTelemetryRefresh',
  'telemetryRefreshHandler',
];

/** The functions that the package exports and that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutTransaction.includes(name))
  .map(([name]) => name)
  .sort();

export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as (tx: TenantTx, input: unknown) => Promise<unknown>)(tx, input);
}

export const at = new Date('2026-05-04T10:20:30.456Z');
const window = { from: new Date('2026-05-04Z'), to: new Date('2026-05-05Z') };

const event = (subject: string, value: number, time = at) => ({
  subject,
  metric: 'latency',
  unit: 'ms',
  value,
  at: time,
  labels: { region: 'eu' },
});

/** Two subjects with aggregates, and an event that is not in them yet. */
export async function makeWorld(tx: TenantTx): Promise<void> {
  await exported.recordTelemetry(tx, { events: [event('a', 1), event('a', 2), event('b', 3)] });
  await exported.refreshAggregates(tx);
  await exported.recordTelemetry(tx, { events: [event('a', 4, new Date(at.getTime() + 60_000))] });
}

/** What each function is called with in that world, where it has all of its work to do. */
export const inputs: Readonly<Record<string, unknown>> = {
  findMetric: { metric: 'latency' },
  getMetric: { metric: 'latency' },
  invalidateAggregates: window,
  listSeries: { metric: 'latency', subject: 'a', labels: { region: 'eu' } },
  listTopSubjects: { metric: 'latency', ...window, by: { percentile: 0.99 }, labels: { region: 'eu' } },
  readSeries: { metric: 'latency', subject: 'a', ...window, step: { minutes: 60 }, percentiles: [0.5] },
  readSummary: { metric: 'latency', subject: 'a', ...window, percentiles: [0.5] },
  recordTelemetry: { events: [event('a', 5)] },
  refreshAggregates: {},
  setMetric: { metric: 'latency', unit: 'ms', labelSetLimit: 7 },
};
