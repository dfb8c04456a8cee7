import type { TenantTx } from '@mcp-hub/db-core';
import { claimChunk, failChunk, submitBatchJob } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import { readSummary, recordTelemetry, refreshAggregates } from '@mcp-hub/telemetry';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatchJobs } from '../../src/rules/read-batch-jobs.ts';
import { readTelemetry } from '../../src/rules/read-telemetry.ts';
import { type batchJobMeasures, telemetryStatistics } from '../../src/rules/sources.ts';
import { piecesOf, windowAt } from '../../src/rules/window.ts';
import { measure, minute, ofMinutes, start } from '../support/telemetry-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();

describe('a window', () => {
  it('ends with the last whole minute before the evaluation, less the delay', () => {
    const at = start.getTime() + 30_000;
    expect(windowAt(at, { windowMs: 120_000, delayMs: 0 }).to).toBe(start.getTime());
    expect(windowAt(start.getTime(), { windowMs: 120_000, delayMs: 1 })).toEqual({
      from: minute(-3).getTime(),
      to: minute(-1).getTime(),
    });
  });

  it('is made up of pieces that cover it once, and as few as there are', () => {
    fc.assert(
      fc.property(fc.nat(60 * 24 * 5), fc.integer({ min: 1, max: 60 * 24 * 4 }), (from, length) => {
        const window = { from: from * 60_000, to: (from + length) * 60_000 };
        let at = window.from;
        for (const piece of piecesOf(window)) {
          expect(piece.from).toBe(at);
          at = piece.to;
        }
        expect(at).toBe(window.to);
        expect(piecesOf(window).length).toBeLessThanOrEqual(5);
      }),
      { numRuns: 200 },
    );
  });
});

describe('telemetry as a source', () => {
  const at = { now: new Date('2026-05-20Z') };

  it('gives what telemetry itself gives for the window, whatever the statistic, in one statement for all', async () => {
    const tenant = freshTenant();
    await monitoring.run(
      tenant,
      async (tx) => {
        const events = Array.from({ length: 1_500 }, (_, n) => ({
          ...{
            subject: `s${n % 3}`,
            metric: 'm',
            value: Math.sin(n) * 10 ** (n % 7),
            labels: { region: n % 2 ? 'eu' : 'us' },
          },
          at: new Date(start.getTime() + ((n * 7_919) % 4_000) * 60_000),
        }));
        await recordTelemetry(tx, { events });
        while ((await refreshAggregates(tx, {})).more);
        const windows = [
          { from: minute(0), to: minute(1) },
          { from: minute(17), to: minute(371) },
          { from: minute(-60), to: minute(3_500) },
          { from: minute(9_000), to: minute(9_001) },
        ];
        const selections = [
          {},
          { subject: 's1' },
          { labels: { region: 'eu' } },
          { subject: 's2', labels: { region: 'us' } },
        ];
        const asked = windows.flatMap((window) =>
          selections.flatMap((selection) => telemetryStatistics.map((statistic) => ({ window, selection, statistic }))),
        );
        const readings = await readTelemetry(
          tx,
          asked.map(({ window, selection, statistic }, key) => ({
            key,
            of: { source: 'telemetry', metric: 'm', statistic, ...selection },
            window: { from: window.from.getTime(), to: window.to.getTime() },
          })),
        );
        const found = new Map(readings.map(({ key, value }) => [key, value]));
        const percentiles = [0.5, 0.9, 0.95, 0.99];
        for (const [key, { window, selection, statistic }] of asked.entries()) {
          const all = await readSummary(tx, { metric: 'm', ...selection, ...window, percentiles });
          const index = ['p50', 'p90', 'p95', 'p99'].indexOf(statistic);
          const expected =
            index >= 0 ? (all.percentiles[index] ?? null) : statistic === 'count' ? all.n : Reflect.get(all, statistic);
          if (typeof expected === 'number' && ['mean', 'sum'].includes(statistic))
            expect(found.get(key)).toBeCloseTo(expected, 6);
          else expect([statistic, found.get(key)]).toEqual([statistic, expected]);
        }
      },
      at,
    );
  });

  it('tells series apart by subject and labels, and knows those that have no values in the window', async () => {
    await monitoring.run(
      freshTenant(),
      async (tx) => {
        await measure(tx, [
          ...ofMinutes([1, 2], { labels: { region: 'eu' } }),
          ...ofMinutes([3], { subject: 'search', labels: { region: 'us' } }),
          ...ofMinutes([5], { subject: 'search' }),
        ]);
        const read = async (by: readonly string[], from: number) =>
          (
            await readTelemetry(tx, [
              {
                key: 0,
                of: { source: 'telemetry', metric: 'latency_ms', statistic: 'max', by },
                window: { from: minute(from).getTime(), to: minute(from + 1).getTime() },
              },
            ])
          )
            .map(({ labels, value }) => `${JSON.stringify(labels)} ${value}`)
            .sort();
        expect(await read([], 0)).toEqual(['{} 5']);
        expect(await read(['subject'], 1)).toEqual(['{"subject":"checkout"} 2', '{"subject":"search"} null']);
        expect(await read(['region'], 0)).toEqual(['{"region":""} 5', '{"region":"eu"} 1', '{"region":"us"} 3']);
        expect(await read(['subject', 'region'], 0)).toEqual([
          ...['{"region":"","subject":"search"} 5', '{"region":"eu","subject":"checkout"} 1'],
          '{"region":"us","subject":"search"} 3',
        ]);
        const unknown = { source: 'telemetry', metric: 'none', statistic: 'max' } as const;
        expect(await readTelemetry(tx, [{ key: 0, of: unknown, window: { from: 0, to: 60_000 } }])).toEqual([]);
      },
      at,
    );
  });
});

describe('batch jobs as a source', () => {
  const read = async (tx: TenantTx, measured: (typeof batchJobMeasures)[number], to: Date, more: object = {}) =>
    (
      await readBatchJobs(tx, [
        {
          key: 0,
          of: { source: 'batch_jobs', measure: measured, ...more },
          window: { from: to.getTime() - 600_000, to: to.getTime() },
        },
      ])
    )
      .map(({ labels, value }) => `${labels['job'] ?? 'all'} ${value}`)
      .sort();

  it('counts dead letters, jobs that failed and jobs that are open, and how long the oldest is', async () => {
    const tenant = freshTenant();
    const submit = (name: string, at: Date) =>
      monitoring.run(
        tenant,
        (tx) =>
          submitBatchJob(tx, {
            ...{ reference: 'churn/1', jobName: name, maxAttempts: 1, chunkRows: 10 },
            rows: [{ features: { x: 1 } }, { features: { x: 2 } }],
          }),
        { now: at },
      );
    await monitoring.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    await submit('nightly', minute(0));
    await monitoring.run(
      tenant,
      async (tx) => {
        const chunk = await claimChunk(tx);
        if (chunk === undefined) throw new Error('There is one.');
        await failChunk(tx, { lease: chunk.lease, reason: 'no' });
      },
      { now: minute(5) },
    );
    await submit('hourly', minute(6));
    await monitoring.run(tenant, async (tx) => {
      expect(await read(tx, 'dead_letters', minute(10))).toEqual(['all 2']);
      expect(await read(tx, 'dead_letters', minute(10), { by: ['job'] })).toEqual(['nightly 2']);
      expect(await read(tx, 'dead_letters', minute(20))).toEqual([]);
      expect(await read(tx, 'dead_letters', minute(10), { job: 'hourly' })).toEqual([]);
      expect(await read(tx, 'failed_jobs', minute(10))).toEqual(['all 1']);
      expect(await read(tx, 'failed_jobs', minute(5))).toEqual([]);
      expect(await read(tx, 'open_jobs', minute(10))).toEqual(['all 1']);
      expect(await read(tx, 'open_jobs', minute(4), { by: ['job'] })).toEqual(['nightly 1']);
      expect(await read(tx, 'oldest_open_ms', minute(10))).toEqual(['all 240000']);
    });
  });
});
