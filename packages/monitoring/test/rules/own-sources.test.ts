import type { Id, TenantTx } from '@mcp-hub/db-core';
import { evaluateBinary } from '@mcp-hub/evaluation';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  checkDrift,
  createAlertRule,
  createBaseline,
  type DriftSource,
  evaluateRule,
  listAlerts,
  type PerformanceSource,
  performanceDrift,
  refreshProfiles,
} from '../../src/index.ts';
import { readDrift } from '../../src/rules/read-drift.ts';
import { readPerformance } from '../../src/rules/read-performance.ts';
import { DAY_MS, makeVersion, nameOfDay, noonOf, recordDay, start } from '../support/drift-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const texts = (readings: readonly { readonly labels: object; readonly value: number | null }[]) =>
  readings.map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`.trim()).sort();

describe('drift as a source', () => {
  const read = async (tx: TenantTx, at: Date, of: Partial<(typeof DriftSource)['_output']>) =>
    texts(
      await readDrift(tx, [
        {
          key: 0,
          of: { source: 'drift', measure: 'drifted', ...of },
          window: { from: at.getTime() - DAY_MS, to: at.getTime() },
        },
      ]),
    );

  it('is the last check of the window, and a rule over it opens an alert for each feature that drifted', async () => {
    const tenant = freshTenant();
    const at = (day: number) => new Date(noonOf(day).getTime() + 60_000);
    const versionId = await monitoring.run(tenant, makeVersion, { now: noonOf(0) });
    await monitoring.run(
      tenant,
      async (tx) => {
        for (const day of [0, 1, 2, 3]) await recordDay(tx, versionId, day, 500);
        await createBaseline(tx, { versionId, window: { from: start, to: noonOf(4) } });
        await recordDay(tx, versionId, 5, 500, { shift: 0.5 });
        await recordDay(tx, versionId, 6, 500);
        while ((await refreshProfiles(tx)).more);
      },
      { now: noonOf(8) },
    );
    const check = (day: number) =>
      monitoring.run(tenant, (tx) => checkDrift(tx, { versionId, fromDay: nameOfDay(day), toDay: nameOfDay(day) }), {
        now: noonOf(day + 1),
      });
    await check(5);
    await check(6);
    const by = ['model', 'version', 'feature'] as const;
    await monitoring.run(tenant, async (tx) => {
      expect(await read(tx, at(5), {})).toEqual([]);
      expect(await read(tx, at(6), {})).toEqual(['1']);
      expect(await read(tx, at(7), {})).toEqual(['0']);
      expect(await read(tx, at(6), { by, field: 'feature' })).toEqual([
        'churn age 1 0',
        'churn plan 1 0',
        'churn tenure 1 1',
      ]);
      expect(await read(tx, at(6), { model: 'churn', version: '1', feature: 'age' })).toEqual(['0']);
      expect(await read(tx, at(6), { model: 'other' })).toEqual([]);
      const [distance = ''] = await read(tx, at(6), { measure: 'distance', feature: 'tenure', test: 'ks' });
      expect(Number(distance)).toBeGreaterThan(0.15);
      const [p = ''] = await read(tx, at(6), { measure: 'adjusted_p' });
      expect(Number(p)).toBeLessThan(0.001);
    });
    const { ruleId } = await monitoring.run(tenant, (tx) =>
      createAlertRule(tx, {
        ...{ name: 'drift', delayMs: 0 },
        condition: {
          ...{ kind: 'threshold', op: '>=', value: 1, windowMs: DAY_MS },
          of: { source: 'drift', measure: 'drifted', by, field: 'feature' },
        },
      }),
    );
    const statuses: string[][] = [];
    for (const day of [5, 6, 7]) {
      await monitoring.run(tenant, (tx) => evaluateRule(tx, { ruleId, at: at(day) }), { now: at(day) });
      const { items } = await monitoring.run(tenant, (tx) => listAlerts(tx));
      statuses.push(items.map(({ labels, status }) => `${labels['feature']} ${status}`));
    }
    expect(statuses).toEqual([[], ['tenure firing'], ['tenure resolved']]);
  });
});

describe('performance as a source', () => {
  it('is the last look at the metric of each version, and misses while labels are waited for', async () => {
    await monitoring.run(freshTenant(), async (tx) => {
      const versions: Id<'ModelVersion'>[] = [];
      for (const name of ['churn', 'fraud']) versions.push((await registerVersion(tx, { name })).id);
      const look = async (
        index: number,
        hour: number,
        value: number | null,
        verdict: 'stable' | 'degraded' | 'immature',
      ) => {
        const modelVersionId = versions[index] as Id<'ModelVersion'>;
        const labels = [0, 1, 1, 0];
        const scores = [0.1, 0.9, 0.8, 0.3];
        const dataset = { name: 'd', digest: `${index} ${hour}` };
        const { id: evaluationId } = await evaluateBinary(tx, { versionId: modelVersionId, dataset, labels, scores });
        await tx.insert(performanceDrift).values({
          ...{ modelVersionId, evaluationId, metric: 'accuracy', basis: 'realised', ageMs: DAY_MS, timeZone: 'UTC' },
          ...{
            fromDay: nameOfDay(0),
            toDay: nameOfDay(0),
            predictionCount: 100,
            labelledCount: 50,
            floor: 0.02,
            verdict,
          },
          ...{ value, baselineValue: 0.9, reason: value === null ? 'no labels' : null },
          createdAt: new Date(start.getTime() + hour * 3_600_000),
        });
      };
      await look(0, 1, 0.5, 'degraded');
      await look(0, 2, 0.75, 'degraded');
      await look(1, 1, 0.875, 'stable');
      await look(1, 3, 0.1, 'immature');
      const read = async (hour: number, of: Partial<(typeof PerformanceSource)['_output']>) =>
        texts(
          await readPerformance(tx, [
            {
              key: 0,
              of: { source: 'performance', metric: 'accuracy', measure: 'value', ...of },
              window: { from: start.getTime(), to: start.getTime() + hour * 3_600_000 },
            },
          ]),
        );
      const by = ['model'] as const;
      expect(await read(1, {})).toEqual([]);
      expect(await read(2, { by })).toEqual(['churn 0.5', 'fraud 0.875']);
      expect(await read(3, { by })).toEqual(['churn 0.75', 'fraud 0.875']);
      expect(await read(4, { by })).toEqual(['churn 0.75', 'fraud null']);
      expect(await read(3, {})).toEqual(['0.75']);
      expect(await read(3, { measure: 'degraded' })).toEqual(['1']);
      expect(await read(4, { measure: 'degraded', model: 'fraud' })).toEqual(['null']);
      expect(await read(3, { measure: 'difference', model: 'churn' })).toEqual([String(0.75 - 0.9)]);
      expect(await read(3, { metric: 'recall' })).toEqual([]);
      expect(await read(3, { basis: 'estimated' })).toEqual([]);
    });
  });
});
