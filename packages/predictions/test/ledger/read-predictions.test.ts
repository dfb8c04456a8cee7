import { newId, type TenantTx } from '@mcp-hub/db-core';
import {
  evaluateBinaryQuery,
  evaluateMulticlassQuery,
  evaluateRegressionQuery,
  listEvaluationMetrics,
} from '@mcp-hub/evaluation';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  getLedger,
  getPrediction,
  iteratePredictions,
  type ListPredictionsInput,
  labelledPredictions,
  listLedgers,
  listPredictions,
  type Prediction,
  type PredictionInput,
  recordLabels,
  recordPredictions,
} from '../../src/index.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const database = usePredictions();

const now = new Date('2026-05-04T10:20:30.456Z');
const start = new Date('2026-05-01Z');
const hour = (n: number) => new Date(start.getTime() + n * 3_600_000);
const origins = ['SFO', 'LAX', 'JFK'];

/** 60 predictions of version 1, one an hour, and 10 of version 2; every second subject of the first is labelled. */
const given: readonly PredictionInput[] = Array.from({ length: 60 }, (_, n) => ({
  id: newId(hour(n)),
  subject: `s${n}`,
  label: n % 3 === 0 ? 'late' : 'in time',
  score: n / 60,
  features: { distance: n * 10, origin: origins[n % 3] ?? '', ...(n % 2 === 0 ? { hour: n % 24 } : {}) },
  source: n % 10 === 0 ? ('batch' as const) : ('online' as const),
  experiment: 'exp',
  variant: n % 2 === 0 ? 'a' : 'b',
}));
let tenant: string;
let versionId: string;

beforeAll(async () => {
  tenant = freshTenant();
  await database.run(
    tenant,
    async (tx) => {
      for (let n = 0; n < 2; n += 1) await registerVersion(tx, { name: 'delays' });
      ({ versionId } = await recordPredictions(tx, { name: 'delays', version: '1', predictions: given }));
      const others = Array.from({ length: 10 }, (_, n) => ({ at: hour(n), subject: `s${n}`, features: { other: n } }));
      await recordPredictions(tx, { name: 'delays', version: '2', predictions: others });
      const labels = given.flatMap(({ subject = '' }, n) =>
        n % 2 === 0 ? [{ subject, label: n % 4 === 0 ? 'late' : 'in time', observedAt: hour(n) }] : [],
      );
      await recordLabels(tx, { name: 'delays', labels });
    },
    { now },
  );
});

async function allOf(input: ListPredictionsInput, limit = 7): Promise<readonly Prediction[]> {
  const all: Prediction[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await database.run(tenant, (tx) =>
      listPredictions(tx, { ...input, limit, ...(cursor === undefined ? {} : { cursor }) }),
    );
    all.push(...page.items);
    if (page.nextCursor === undefined) return all;
    cursor = page.nextCursor;
  }
}

const first = { name: 'delays', version: '1' } as const;
const numbersOf = (items: readonly Prediction[]) => items.map(({ subject }) => Number(subject.slice(1)));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

describe('listPredictions', () => {
  it('gives those of a version by pages, the newest first, with features by name and what is true', async () => {
    const all = await allOf(first);
    expect(numbersOf(all)).toEqual(range(0, 60).toReversed());
    const [last, before] = all;
    expect(before).toMatchObject({
      ...{ id: given[58]?.id, versionId, score: 58 / 60, predictedAt: hour(58), source: 'online', variant: 'a' },
      truth: { label: 'in time', value: null, observedAt: hour(58) },
    });
    expect(before?.features).toEqual({ distance: 580, origin: 'LAX', hour: 10 });
    expect(last?.features).toEqual({ distance: 590, origin: 'JFK' });
    expect(last?.truth).toBeNull();
  });

  it.each<readonly [string, ListPredictionsInput, readonly number[]]>([
    ['a subject, of all versions', { subject: 's3', orderBy: 'id asc' }, [3, 3]],
    ['a window of time, without its end', { ...first, from: hour(10), to: hour(13) }, [12, 11, 10]],
    ['what is labelled', { ...first, labelled: true, to: hour(6) }, [4, 2, 0]],
    ['what is not labelled', { ...first, labelled: false, to: hour(6) }, [5, 3, 1]],
    ['a range of scores', { ...first, filter: 'score >= 0.5 AND score < 0.55', orderBy: 'score asc' }, [30, 31, 32]],
    ['a source', { ...first, filter: "source = 'batch'" }, [50, 40, 30, 20, 10, 0]],
    ['an experiment and variant', { filter: "experiment = 'exp' AND variant = 'b'", to: hour(4) }, [3, 1]],
    ['a true class', { ...first, filter: "true_label = 'late'", to: hour(9) }, [8, 4, 0]],
    ['a predicted class', { ...first, filter: "label = 'late'", to: hour(9) }, [6, 3, 0]],
    ['a version that is not there', { reference: 'delays@nobody' }, []],
  ])('finds %s', async (_, input, wanted) => {
    expect(numbersOf(await allOf(input, 2))).toEqual(wanted);
  });

  it('gives each feature by its name, whatever that is', async () => {
    const other = freshTenant();
    const at = hour(1);
    const [prediction] = await database.run(
      other,
      async (tx) => {
        await registerVersion(tx, { name: 'odd' });
        await recordPredictions(tx, {
          reference: 'odd/1',
          predictions: [{ at, features: { constructor: 1, a: 'x' } }],
        });
        // By hand: recordPredictions refuses it.
        await tx.execute(sql`update prediction_ledgers set number_features = '{__proto__}'`);
        return (await listPredictions(tx)).items;
      },
      { now },
    );
    expect(Object.entries(prediction?.features ?? {})).toEqual([
      ['__proto__', 1],
      ['a', 'x'],
    ]);
  });

  it('refuses a cursor of another window, and half a name of a version', async () => {
    const { nextCursor = '' } = await database.run(tenant, (tx) => listPredictions(tx, { ...first, limit: 1 }));
    for (const input of [
      { ...first, from: hour(1) },
      { name: 'delays', version: '2' },
      { ...first, labelled: true },
    ]) {
      const work = database.run(tenant, (tx) => listPredictions(tx, { ...input, limit: 1, cursor: nextCursor }));
      expect(await refusalOf(work)).toMatchObject({ code: 'invalid_input' });
    }
    const half = database.run(tenant, (tx) => listPredictions(tx, { name: 'delays' }));
    expect(await refusalOf(half)).toMatchObject({ code: 'invalid_input' });
  });
});

describe('getPrediction', () => {
  it('gives one by its id, or throws not_found', async () => {
    const id = given[8]?.id ?? '';
    const found = await database.run(tenant, (tx) => getPrediction(tx, { id }));
    expect(found).toMatchObject({ id, subject: 's8', features: { distance: 80, hour: 8, origin: 'JFK' } });
    const work = database.run(tenant, (tx) => getPrediction(tx, { id: newId() }));
    expect(await refusalOf(work)).toMatchObject({ code: 'not_found' });
  });
});

describe('getLedger and listLedgers', () => {
  it('name the features in the order of their places', async () => {
    const { updatedAt: _, ...ledger } = await database.run(tenant, (tx) => getLedger(tx, { reference: 'delays/1' }));
    expect(ledger).toMatchObject({
      ...{ ...first, versionId, numberFeatures: ['distance', 'hour'], categoryFeatures: ['origin'] },
    });
    const { items } = await database.run(tenant, (tx) => listLedgers(tx, { name: 'delays' }));
    expect(items.map(({ version, numberFeatures }) => [version, numberFeatures])).toEqual([
      ['2', ['other']],
      ['1', ['distance', 'hour']],
    ]);
    expect((await database.run(tenant, (tx) => listLedgers(tx, { name: 'other' }))).items).toEqual([]);
  });

  it('do not know a version without predictions', async () => {
    const work = database.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'm' });
      await getLedger(tx, { reference: 'm/1' });
    });
    expect(await refusalOf(work)).toMatchObject({ code: 'not_found' });
  });
});

describe('iteratePredictions', () => {
  it('gives a window in the order of time, in batches of any size, with features and labels', async () => {
    for (const batchRows of [1, 7, 60, 1_000]) {
      const read = await database.run(tenant, async (tx) => {
        const all: Prediction[] = [];
        for await (const row of iteratePredictions(tx, { ...first, from: hour(5), batchRows })) all.push(row);
        return all;
      });
      expect(read).toEqual((await allOf({ ...first, from: hour(5) })).toReversed());
    }
  });

  it('names features that came after the first rows were read', async () => {
    const own = freshTenant();
    const named = await database.run(own, async (tx) => {
      await registerVersion(tx, { name: 'm' });
      const record = (features: Record<string, number>) =>
        recordPredictions(tx, { reference: 'm/1', predictions: [{ features }] });
      for (let n = 0; n < 3; n += 1) await record({ [`f${n}`]: n });
      const names: string[][] = [];
      for await (const { features } of iteratePredictions(tx, { batchRows: 1 })) {
        names.push(Object.keys(features));
        await record({ [`later ${names.length}`]: 1 });
      }
      return names;
    });
    expect(named).toEqual([['f0'], ['f1'], ['f2']]);
  });

  it('may be left early, and the transaction goes on', async () => {
    const left = await database.run(tenant, async (tx) => {
      for await (const { subject } of iteratePredictions(tx, { ...first, batchRows: 2 })) {
        if (subject === 's4') return (await getLedger(tx, first)).version;
      }
      return undefined;
    });
    expect(left).toBe('1');
  });
});

describe('labelledPredictions', () => {
  const window = { from: start, to: hour(60) };
  const dataset = { name: 'predictions', digest: 'sha256:1' };
  const metric = (metrics: readonly { readonly metric: string; readonly value: number | null }[], name: string) =>
    metrics.find((row) => row.metric === name)?.value;
  const labelledRows = range(0, 30).map((n) => 2 * n);

  it('is a source for evaluateBinaryQuery, with features as slices', async () => {
    const { metrics } = await database.run(tenant, async (tx) => {
      const { rows, features } = labelledPredictions(tx, {
        ...first,
        ...window,
        categories: ['origin'],
        numbers: ['hour'],
      });
      const slices = { origin: features['origin'] ?? sql`''`, hour: sql`(${features['hour']} >= 12)` };
      const columns = { label: rows.trueLabel, score: rows.score, slices };
      const of = { ...first, dataset, rows, columns, positiveLabel: 'late', minSliceRows: 1 };
      const { id: evaluationId } = await evaluateBinaryQuery(tx, of);
      const page = await listEvaluationMetrics(tx, { evaluationId, filter: "metric = 'accuracy'" });
      return { metrics: page.items };
    });
    expect(metrics.find(({ sliceFeature }) => sliceFeature === '')?.n).toBe(30);
    const right = labelledRows.filter((row) => (row % 4 === 0) === row / 60 >= 0.5).length;
    expect(metric(metrics, 'accuracy')).toBeCloseTo(right / 30, 12);
    const sizes = metrics.flatMap(({ metric: name, sliceFeature, sliceValue, n: size }) =>
      name === 'accuracy' && sliceFeature !== '' ? [`${sliceFeature} ${sliceValue} ${size}`] : [],
    );
    expect(sizes.sort()).toEqual(['hour false 18', 'hour true 12', 'origin JFK 10', 'origin LAX 10', 'origin SFO 10']);
  });

  it('is a source for evaluateMulticlassQuery and evaluateRegressionQuery', async () => {
    await database.run(tenant, async (tx) => {
      const { rows } = labelledPredictions(tx, { ...first, ...window });
      const { metrics } = await evaluateMulticlassQuery(tx, {
        ...{ ...first, dataset, rows, columns: { label: rows.trueLabel, predicted: rows.label } },
      });
      const right = labelledRows.filter((row) => (row % 4 === 0) === (row % 3 === 0)).length;
      expect(metric(metrics, 'accuracy')).toBeCloseTo(right / 30, 12);
      await registerVersion(tx, { name: 'price' });
      const subjects = ['a', 'b', 'c'];
      await recordPredictions(tx, {
        ...{ reference: 'price/1', predictions: subjects.map((subject, n) => ({ subject, score: n, at: start })) },
      });
      await recordLabels(tx, { name: 'price', labels: subjects.map((subject, n) => ({ subject, value: n * 2 })) });
      const priced = labelledPredictions(tx, { reference: 'price/1', from: start, to: hour(1) }).rows;
      const regression = await evaluateRegressionQuery(tx, {
        ...{ name: 'price', version: '1', dataset, rows: priced },
        columns: { actual: priced.trueValue, predicted: priced.score },
      });
      expect(metric(regression.metrics, 'mae')).toBe(1);
    });
  });

  it('has the corrected label, one row a prediction, and only what lies in the window', async () => {
    const own = freshTenant();
    const rows = await database.run(own, async (tx) => {
      await registerVersion(tx, { name: 'm' });
      const at = (n: number) => ({ subject: 's', at: hour(n), score: n, features: { n } });
      await recordPredictions(tx, { reference: 'm/1', predictions: [at(0), at(1), at(2), at(3)] });
      for (const [n, label] of ['x', 'y'].entries()) {
        await recordLabels(tx, { name: 'm', labels: [{ subject: 's', label, observedAt: hour(n) }] });
      }
      const labelled = labelledPredictions(tx, {
        ...{ reference: 'm/1', from: hour(1), to: hour(3), numbers: ['n', 'unknown'] },
      });
      const { trueLabel, score } = labelled.rows;
      return await tx
        .select({ trueLabel, score, n: sql`${labelled.features['n']}`, unknown: sql`${labelled.features['unknown']}` })
        .from(labelled.rows)
        .orderBy(score);
    });
    expect(rows).toEqual([
      { trueLabel: 'y', score: 1, n: 1, unknown: null },
      { trueLabel: 'y', score: 2, n: 2, unknown: null },
    ]);
  });

  it('looks only at the partitions of its window', async () => {
    const plan = await database.run(tenant, async (tx: TenantTx) => {
      const { rows } = labelledPredictions(tx, {
        ...first,
        from: new Date('2031-01-01Z'),
        to: new Date('2031-02-01Z'),
      });
      const lines = await tx.execute<{ 'QUERY PLAN': string }>(sql`explain select count(*) from ${rows}`);
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    });
    const partitions = await database.run(tenant, (tx) =>
      tx.execute<{ name: string }>(
        sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'predictions'::regclass`,
      ),
    );
    expect(partitions.length).toBeGreaterThan(0);
    const read = partitions.filter(({ name }) => plan.includes(name)).map(({ name }) => name);
    expect(read).toEqual(['predictions_default']);
  });
});
