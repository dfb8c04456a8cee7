import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { countScores, readTraffic, recordLabels, recordPredictions } from '../../src/index.ts';
import { usePredictions } from '../support/use-predictions.ts';

const ledger = usePredictions();
const hour = 3_600_000;
const start = new Date('2026-05-04T00:00:00Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const window = { from: start, to: after(4 * hour) };

/** A tenant with a version `m/1` that has made the given predictions. */
async function tenantWith(predictions: Parameters<typeof recordPredictions>[1]['predictions']): Promise<string> {
  const tenant = freshTenant();
  await ledger.run(tenant, async (tx) => {
    await registerVersion(tx, { name: 'm' });
    await recordPredictions(tx, { name: 'm', version: '1', predictions });
  });
  return tenant;
}

describe('readTraffic', () => {
  it('counts by span, gives percentiles of those with a latency, and leaves out spans without predictions', async () => {
    const tenant = await tenantWith([
      ...[10, 20, 30, 40, 50].map((latencyMs, n) => ({ at: after(n), latencyMs })),
      { at: after(5) },
      { at: after(hour) },
      { at: after(3 * hour), latencyMs: 7 },
      // The end of the window does not belong to it.
      { at: after(4 * hour), latencyMs: 7 },
    ]);
    const buckets = await ledger.run(tenant, (tx) =>
      readTraffic(tx, { ...window, name: 'm', version: '1', bucketMs: hour }),
    );
    expect(buckets).toEqual([
      { at: start, count: 6, latencyP50Ms: 30, latencyP95Ms: 48, latencyP99Ms: 49.6 },
      { at: after(hour), count: 1, latencyP50Ms: null, latencyP95Ms: null, latencyP99Ms: null },
      { at: after(3 * hour), count: 1, latencyP50Ms: 7, latencyP95Ms: 7, latencyP99Ms: 7 },
    ]);
  });

  it('is of one version or subject, or of all, and of nobody where there is none', async () => {
    const tenant = await tenantWith([
      { at: start, subject: 'a' },
      { at: start, subject: 'b' },
    ]);
    const total = async (which: Partial<Parameters<typeof readTraffic>[1]>) => {
      const buckets = await ledger.run(tenant, (tx) => readTraffic(tx, { ...window, bucketMs: hour, ...which }));
      return buckets.reduce((sum, { count }) => sum + count, 0);
    };
    expect(await Promise.all([total({}), total({ subject: 'a' }), total({ name: 'm', version: '2' })])).toEqual([
      2, 1, 0,
    ]);
  });

  it('refuses more spans than a chart can show, and says how to ask for fewer', async () => {
    const ask = ledger.run(freshTenant(), (tx) => readTraffic(tx, { ...window, bucketMs: 1 }));
    await expect(ask).rejects.toMatchObject({ code: 'invalid_input', message: expect.stringContaining('10000 spans') });
  });
});

describe('countScores', () => {
  it('gives every bin, and counts apart what lies outside, NaN and nothing', async () => {
    const scores = [0, 0.25, 0.5, 0.75, 0.999, 1, -0.1, Number.NEGATIVE_INFINITY, 1.5, Number.NaN, null];
    const tenant = await tenantWith(scores.map((score, n) => ({ at: after(n), score })));
    const counts = await ledger.run(tenant, (tx) => countScores(tx, { ...window, name: 'm', version: '1', bins: 4 }));
    expect(counts).toEqual({
      bins: [
        { lower: 0, upper: 0.25, count: 1 },
        { lower: 0.25, upper: 0.5, count: 1 },
        { lower: 0.5, upper: 0.75, count: 1 },
        { lower: 0.75, upper: 1, count: 3 },
      ],
      ...{ below: 2, above: 1, nan: 1, missing: 1 },
    });
  });

  it('takes the labelled ones alone where it is asked to', async () => {
    const tenant = await tenantWith([
      { at: start, subject: 'a', score: 0.1 },
      { at: start, subject: 'b', score: 0.9 },
    ]);
    const counts = await ledger.run(tenant, async (tx) => {
      await recordLabels(tx, { name: 'm', labels: [{ subject: 'b', label: 'late' }] });
      return await countScores(tx, { labelled: true, bins: 2 });
    });
    expect(counts.bins.map(({ count }) => count)).toEqual([0, 1]);
  });

  it('refuses bins without a width', async () => {
    const ask = ledger.run(freshTenant(), (tx) => countScores(tx, { lower: 1, upper: 1 }));
    await expect(ask).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('lower below upper'),
    });
  });
});
