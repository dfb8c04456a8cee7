import { isLeaseLost, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  deleteRun,
  finishRun,
  getRun,
  type LogBatchInput,
  listMetricKeys,
  listMetricPoints,
  logBatch,
  logMetric,
  logParam,
  restoreRun,
  TRAINING_LIMITS,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const newRun = async (tx: TenantTx) => (await createRun(tx, { name: 'r', start: true })).id;
const inRun = <Result>(work: (tx: TenantTx, runId: string) => Promise<Result>) =>
  training.run(freshTenant(), async (tx) => await work(tx, await newRun(tx)));
const pointsOf = async (tx: TenantTx, runId: string, key: string) => (await listMetricPoints(tx, { runId, key })).items;

describe('points', () => {
  it('come back as they were given: NaN, infinities, the smallest and the largest', async () => {
    const values = [Number.NaN, Infinity, -Infinity, 5e-324, -1.7976931348623157e308, 0.1 + 0.2, 0];
    await inRun(async (tx, runId) => {
      await logBatch(tx, { runId, points: values.map((value, step) => ({ key: 'm', value, step, at: at(step) })) });
      expect(await pointsOf(tx, runId, 'm')).toEqual(values.map((value, step) => ({ step, at: at(step), value })));
    });
  });

  it('are at step 0 and at the time of the transaction where nothing is said', async () => {
    const now = at(7);
    await training.run(
      freshTenant(),
      async (tx) => {
        const runId = await newRun(tx);
        await logBatch(tx, { runId, points: [{ key: 'm', value: 1 }] });
        expect(await pointsOf(tx, runId, 'm')).toEqual([{ step: 0, at: now, value: 1 }]);
        // One of these is the point from above, and so is one without a time.
        const mixed = [8, 7, undefined, 6].map((second) => ({
          key: 'm',
          value: 1,
          ...(second === undefined ? {} : { at: at(second) }),
        }));
        expect(await logBatch(tx, { runId, points: mixed })).toEqual({ newPoints: 2 });
        expect((await pointsOf(tx, runId, 'm')).map((point) => point.at)).toEqual([at(6), at(7), at(8)]);
      },
      { now },
    );
  });

  it('may bear times long ago and to come, and any whole step', async () => {
    const points = [
      { key: 'm', value: 1, step: Number.MIN_SAFE_INTEGER, at: new Date('1000-01-01T00:00:00Z') },
      { key: 'm', value: 2, step: -1, at: new Date('1969-12-31T23:59:59.999Z') },
      { key: 'm', value: 3, step: 0, at: new Date('2026-07-01T12:00:00.001Z') },
      { key: 'm', value: 4, step: Number.MAX_SAFE_INTEGER, at: new Date('9999-12-31T23:59:59.999Z') },
    ];
    await inRun(async (tx, runId) => {
      await logBatch(tx, { runId, points });
      expect(await pointsOf(tx, runId, 'm')).toEqual(
        points.map(({ step, at: time, value }) => ({ step, at: time, value })),
      );
    });
  });

  it('are stored once, however often they come', async () => {
    const keys = Array.from({ length: 300 }, (_, index) => `m${index}`);
    const points = keys.map((key) => ({ key, value: 1, step: 1, at: at(1) }));
    await inRun(async (tx, runId) => {
      const log = async (given: typeof points) => (await logBatch(tx, { runId, points: given })).newPoints;
      expect(await log(points.slice(0, 150))).toBe(150);
      expect(await log(points.slice(0, 150))).toBe(0);
      expect(await log([...points, ...points])).toBe(150);
      const [count] = await tx.execute(sql`select count(*)::int as points from training_metrics`);
      expect(count).toEqual({ points: 300 });
    });
  });

  it('stand side by side where they differ in step, time or value', async () => {
    await inRun(async (tx, runId) => {
      const points = [
        { key: 'm', value: 1, step: 1, at: at(1) },
        { key: 'm', value: 2, step: 1, at: at(1) },
        { key: 'm', value: 1, step: 1, at: at(2) },
        { key: 'm', value: 1, step: 2, at: at(1) },
        { key: 'n', value: 1, step: 1, at: at(1) },
        { key: 'm', value: Number.NaN, step: 1, at: at(1) },
      ];
      for (const point of points) expect(await logBatch(tx, { runId, points: [point] })).toEqual({ newPoints: 1 });
      expect(await logBatch(tx, { runId, points })).toEqual({ newPoints: 0 });
    });
  });

  it('are 100,000 at the most, stored exactly', async () => {
    const many = Array.from({ length: 100_001 }, (_, index) => ({ key: `m${index % 7}`, value: index, step: index }));
    await inRun(async (tx, runId) => {
      const refusal = await refusalOf(tx.transaction((inner) => logBatch(inner, { runId, points: many })));
      expect(refusal.message).toBe('points must have at most 100000 items, not 100001.');
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { limit: 100_000, got: 100_001 } });
      const points = many.slice(0, 100_000);
      expect(await logBatch(tx, { runId, points })).toEqual({ newPoints: 100_000 });
      const [stored] = await tx.execute(sql`
        select count(*)::int as points, sum(value) as sum, count(distinct key_id)::int as keys from training_metrics`);
      expect(stored).toEqual({ points: 100_000, sum: 4_999_950_000, keys: 7 });
    });
  });

  const good = { key: 'm', value: 1 };
  it.each([
    ['value', { key: 'm', value: null }, 'must be a number'],
    ['value', { key: 'm' }, 'must be a number'],
    ['value', { key: 'm', value: '1' }, 'must be a number'],
    ['key', { value: 1 }, 'is missing'],
    ['key', { ...good, key: '' }, 'must have at least 1 characters, not 0'],
    ['key', { ...good, key: 'k'.repeat(251) }, 'must have at most 250 characters, not 251'],
    ['key', { ...good, key: 'a\nb' }, 'must not hold control characters or line separators'],
    ['step', { ...good, step: 1.5 }, 'must be of type int'],
    ['step', { ...good, step: Number.NaN }, 'must be of type number'],
    ['at', { ...good, at: 12 }, 'must be of type date'],
    ['at', { ...good, at: new Date(Number.NaN) }, 'must be of type date'],
    ['at', { ...good, at: new Date(Date.UTC(10_000, 0)) }, 'must be of the years 100 to 9999'],
    ['at', { ...good, at: new Date('0099-12-31T23:59:59.999Z') }, 'must be of the years 100 to 9999'],
    ['', { ...good, stepp: 1 }, 'holds a field that is not known here; known are key, value, step, at'],
    ['', null, 'must be of type object, with the fields key, value, step, at'],
  ])('are refused with their index for a bad %s (%j)', async (field, bad, rule) => {
    await inRun(async (tx, runId) => {
      const batch = { runId, points: [good, good, bad] } as unknown as LogBatchInput;
      const refusal = await refusalOf(tx.transaction((inner) => logBatch(inner, batch)));
      const path = field === '' ? 'points[2]' : `points[2].${field}`;
      expect(refusal.message).toBe(`${path} ${rule}.`);
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: path, index: 2 } });
      expect((await listMetricKeys(tx, { runId })).items).toEqual([]);
    });
  });

  it('may not bring the run beyond its limit of keys', async () => {
    const limit = TRAINING_LIMITS.metricKeys;
    const points = Array.from({ length: limit + 1 }, (_, index) => ({ key: `m${index}`, value: 1, at: at(1) }));
    await inRun(async (tx, runId) => {
      await logBatch(tx, { runId, points: points.slice(0, limit) });
      // Caught, and the transaction goes on: nothing of the batch is there.
      const refusal = await refusalOf(logBatch(tx, { runId, points: points.slice(1), params: { p: '1' } }));
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { limit, got: limit + 1 } });
      expect(await logBatch(tx, { runId, points: points.slice(0, limit) })).toEqual({ newPoints: 0 });
      expect((await getRun(tx, { runId })).params).toEqual({});
    });
  });
});

describe('summaries', () => {
  it('hold latest by (step, time, value), min and max without NaN, best by the goal', async () => {
    await inRun(async (tx, runId) => {
      await logBatch(tx, {
        runId,
        points: [
          { key: 'm_b', value: 3, at: at(2) },
          { key: 'm_b', value: 4, at: at(8) },
          { key: 'm_b', value: 8, at: at(3) },
          { key: 'nan', value: Number.NaN, at: at(1) },
        ],
        goals: { m_b: 'minimize', 'no points': 'maximize' },
      });
      const { items } = await listMetricKeys(tx, { runId });
      const [latest, min, max] = [
        { step: 0, at: at(8), value: 4 },
        { step: 0, at: at(2), value: 3 },
        { step: 0, at: at(3), value: 8 },
      ];
      const nan = { step: 0, at: at(1), value: Number.NaN };
      expect(items).toEqual([
        { key: 'm_b', pointCount: 3, latest, min, max, goal: 'minimize', best: min },
        { key: 'nan', pointCount: 1, latest: nan, min: null, max: null, goal: null, best: null },
      ]);
      await logBatch(tx, { runId, goals: { m_b: 'maximize' } });
      expect((await listMetricKeys(tx, { runId })).items[0]).toMatchObject({ goal: 'maximize', best: max });
      await logBatch(tx, { runId, points: [{ key: 'no points', value: 2, at: at(1) }] });
      expect((await getRun(tx, { runId })).metrics['no points']).toMatchObject({
        goal: 'maximize',
        best: { value: 2 },
      });
    });
  });
});

describe('params', () => {
  it('are never changed, and a batch that would is refused whole', async () => {
    await inRun(async (tx, runId) => {
      const facts = async () => {
        const { params, tags, metrics } = await getRun(tx, { runId });
        return { params, tags, metrics: Object.keys(metrics) };
      };
      await logBatch(tx, { runId, params: { a: '0', b: '1' } });
      const more = { runId, params: { a: '0', c: '' } };
      await logBatch(tx, more);
      await logBatch(tx, more);
      const before = { params: { a: '0', b: '1', c: '' }, tags: {}, metrics: [] };
      expect(await facts()).toEqual(before);
      const bad = { params: { d: '4', a: '5' }, tags: { t: '1' }, points: [{ key: 'm', value: 1 }], goals: {} };
      const refusal = await refusalOf(logBatch(tx, { runId, ...bad, goals: { m: 'minimize' } }));
      expect(refusal).toMatchObject({ code: 'conflict', details: { reason: 'param_changed', index: 1 } });
      expect(await facts()).toEqual(before);
    });
  });

  it('come once in a call', async () => {
    await inRun(async (tx, runId) => {
      const params = [
        { key: 'a', value: '1' },
        { key: 'b', value: '1' },
        { key: 'a', value: '1' },
      ];
      const refusal = await refusalOf(logBatch(tx, { runId, params, tags: { t: '1' } }));
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'params[2].key', index: 2 } });
      expect(await getRun(tx, { runId })).toMatchObject({ params: {}, tags: {} });
      await logBatch(tx, { runId, params: params.slice(0, 2) });
      expect((await getRun(tx, { runId })).params).toEqual({ a: '1', b: '1' });
    });
  });

  it('are refused with place, limit and number got', async () => {
    const pairs = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: '' }));
    await inRun(async (tx, runId) => {
      const cases: readonly (readonly [unknown, string])[] = [
        [{ params: pairs(1_001) }, 'params must have at most 1000 items, not 1001.'],
        [{ params: { a: null } }, 'params[…] must be of type string.'],
        [
          { params: [{ key: 'a', value: 'v'.repeat(6_001) }] },
          'params[0].value must have at most 6000 characters, not 6001.',
        ],
        [{ tags: [{ key: 'a' }] }, 'tags[0].value is missing.'],
        [{ tags: 'a' }, 'tags must be a record of texts, or a list of { key, value }.'],
        [{ points: {} }, 'points must be a list of points.'],
      ];
      for (const [given, message] of cases) {
        const refusal = await refusalOf(logBatch(tx, { runId, ...(given as object) }));
        expect([refusal.code, refusal.message]).toEqual(['invalid_input', message]);
      }
    });
  });
});

describe('tags', () => {
  it('take the place of the ones before, and of two in one list the last stays', async () => {
    await inRun(async (tx, runId) => {
      const tags = [
        { key: 't', value: 'val' },
        { key: 't', value: 'newval' },
      ];
      await logBatch(tx, { runId, tags });
      expect((await getRun(tx, { runId })).tags).toEqual({ t: 'newval' });
      await logBatch(tx, { runId, tags: { t: 'third', u: '' } });
      expect((await getRun(tx, { runId })).tags).toEqual({ t: 'third', u: '' });
    });
  });
});

describe('the run', () => {
  it('must be there and not deleted, for an empty batch too', async () => {
    await inRun(async (tx, runId) => {
      expect(await logBatch(tx, { runId })).toEqual({ newPoints: 0 });
      const unknown = '01890000-0000-7000-8000-000000000000';
      expect((await refusalOf(logBatch(tx, { runId: unknown }))).code).toBe('not_found');
      await logBatch(tx, { runId, points: [{ key: 'm', value: 1 }] });
      await deleteRun(tx, { runId });
      const batch = { runId, points: [{ key: 'm', value: 2 }], params: { p: '1' }, tags: { t: '1' } };
      expect(await refusalOf(logBatch(tx, batch))).toMatchObject({
        code: 'failed_precondition',
        details: { reason: 'run_deleted' },
      });
      await restoreRun(tx, { runId });
      expect(await getRun(tx, { runId })).toMatchObject({ params: {}, tags: {}, metrics: { m: { pointCount: 1 } } });
    });
  });

  it('is written with the token of its present lease only', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId, fencingToken } = await createRun(tx, { name: 'r', start: true, leaseMs: 60_000 });
      const batch = { runId, points: [{ key: 'm', value: 1 }] };
      for (const wrong of [{}, { fencingToken: fencingToken - 1 }]) {
        expect(isLeaseLost(await refusalOf(logBatch(tx, { ...batch, ...wrong })))).toBe(true);
      }
      await logBatch(tx, { ...batch, fencingToken });
      await finishRun(tx, { runId, fencingToken });
      await logBatch(tx, { ...batch, fencingToken, params: { late: 'fine' } });
      expect((await getRun(tx, { runId })).params).toEqual({ late: 'fine' });
    });
  });
});

describe('an idempotency key', () => {
  it('makes one batch of all that bear it, also where the points bear no time', async () => {
    const tenant = freshTenant();
    const runId = await training.run(tenant, newRun);
    const log = (value: number, second: number) =>
      training.run(tenant, (tx) => logBatch(tx, { runId, points: [{ key: 'm', value }], idempotencyKey: 'once' }), {
        now: at(second),
      });
    expect(await Promise.all([log(Number.NaN, 1), log(Number.NaN, 2)])).toEqual([{ newPoints: 1 }, { newPoints: 1 }]);
    expect(await log(Number.NaN, 3)).toEqual({ newPoints: 1 });
    expect((await refusalOf(log(Infinity, 1))).code).toBe('conflict');
    await training.run(tenant, async (tx) => {
      expect(await pointsOf(tx, runId, 'm')).toHaveLength(1);
      // The first result, whatever has befallen the run.
      await deleteRun(tx, { runId });
    });
    expect(await log(Number.NaN, 4)).toEqual({ newPoints: 1 });
  });

  it.each([
    ['a step', { points: [{ key: 'm', value: 1, step: 1 }] }],
    ['a time', { points: [{ key: 'm', value: 1, at: at(1) }] }],
    ['a key', { points: [{ key: 'n', value: 1 }] }],
    ['a param', { params: { a: '2' } }],
    ['a tag', { tags: { a: '1' } }],
    ['a goal', { goals: { m: 'maximize' as const } }],
  ])('tells a batch by %s', async (_, other) => {
    await inRun(async (tx, runId) => {
      const batch = { runId, points: [{ key: 'm', value: 1 }], params: { a: '1' }, idempotencyKey: 'once' };
      await logBatch(tx, batch);
      expect((await refusalOf(logBatch(tx, { ...batch, ...other }))).code).toBe('conflict');
    });
  });
});

it('logMetric and logParam store one of a kind', async () => {
  await inRun(async (tx, runId) => {
    await logMetric(tx, { runId, key: 'avg model.score', value: 1, step: 3 });
    await logParam(tx, { runId, key: 'lr', value: '0.1' });
    expect(await getRun(tx, { runId })).toMatchObject({
      params: { lr: '0.1' },
      metrics: { 'avg model.score': { latest: { step: 3, value: 1 } } },
    });
  });
});
