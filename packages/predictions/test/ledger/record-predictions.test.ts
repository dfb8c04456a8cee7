import { newId, type TenantTx } from '@mcp-hub/db-core';
import { registerVersion, setAlias, transitionStage } from '@mcp-hub/registry';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { asc, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  PREDICTION_LIMITS,
  type PredictionInput,
  predictionLedgers,
  predictions,
  recordPredictions,
} from '../../src/index.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const database = usePredictions();

const now = new Date('2026-05-04T10:20:30.456Z');
const subject = { name: 'churn', version: '1' };

/** A tenant with a version. */
async function tenantWithVersion(): Promise<string> {
  const tenant = freshTenant();
  await database.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
  return tenant;
}

const record = (tenant: string, given: readonly PredictionInput[]) =>
  database.run(tenant, (tx) => recordPredictions(tx, { ...subject, predictions: given }), { now });
const stored = (tx: TenantTx) => tx.select().from(predictions).orderBy(asc(predictions.id));
const ledgerOf = async (tenant: string) => {
  const [ledger] = await database.run(tenant, (tx) => tx.select().from(predictionLedgers));
  return ledger;
};
const countOf = (tenant: string) => database.run(tenant, (tx) => tx.$count(predictions));

describe('recordPredictions', () => {
  it('stores every field as it was given, under the time of the prediction', async () => {
    const tenant = await tenantWithVersion();
    const [batchJobId, runId] = [newId(), newId()];
    const full = {
      id: newId(new Date(now.getTime() - 5)),
      subject: 'customer 7',
      label: 'leaves',
      score: 0.1 + 0.2,
      output: { probabilities: [0.3, 0.7], 'a "key"\\': 'text with\ttabs\nand {braces}, "quotes"' },
      features: { age: 41, country: 'de, "x"\\ {}', newsletter: true },
      latencyMs: 12.5,
      source: 'batch' as const,
      ...{ batchJobId, runId, experiment: 'exp', variant: 'b' },
    };
    const outcome = await record(tenant, [full, { at: now }]);
    expect(outcome).toMatchObject({ recorded: 2, repeated: 0 });
    const rows = await database.run(tenant, stored);
    const { features: _, ...plain } = full;
    expect(rows[0]).toMatchObject({ ...plain, numbers: [41], categories: ['de, "x"\\ {}', 'true'] });
    expect(rows[0]?.modelVersionId).toBe(outcome.versionId);
    expect(rows[1]).toMatchObject({
      ...{ subject: rows[1]?.id, label: null, score: null, output: null, numbers: [], categories: [] },
      ...{ latencyMs: null, source: 'online', batchJobId: null, runId: null, experiment: null, variant: null },
    });
    expect(await ledgerOf(tenant)).toMatchObject({
      numberFeatures: ['age'],
      categoryFeatures: ['country', 'newsletter'],
    });
  });

  it('takes the transaction’s time where a prediction says none', async () => {
    const tenant = await tenantWithVersion();
    await record(tenant, [{}, {}]);
    const [row] = await database.run(tenant, (tx) =>
      tx.execute(sql`select count(distinct id)::int as ids, min(predicted_at) = max(predicted_at) and
                            min(predicted_at) = ${now.toISOString()}::timestamptz as is_now from predictions`),
    );
    expect(row).toEqual({ ids: 2, is_now: true });
  });

  it('keeps numbers bit for bit, with NaN, infinities and the sign of zero, also as a score', async () => {
    const tenant = await tenantWithVersion();
    const values = [
      1.5,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      5e-324,
      1.797e308,
      0.1 + 0.2,
    ];
    await record(
      tenant,
      values.map((score, n) => ({
        score,
        id: newId(new Date(now.getTime() - 1_000 + n)),
        features: Object.fromEntries(values.map((value, place) => [`f${place}`, value])),
      })),
    );
    const rows = await database.run(tenant, stored);
    expect(rows.map(({ score }) => score)).toEqual(values);
    for (const { numbers } of rows) expect(numbers).toEqual(values);
  });

  it('pins the version that an alias or a stage leads to when it is recorded', async () => {
    const tenant = await tenantWithVersion();
    const ids = await database.run(tenant, async (tx) => {
      const { id: second } = await registerVersion(tx, { name: 'churn' });
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '1' });
      await transitionStage(tx, { name: 'churn', version: '2', stage: 'production' });
      const by = async (reference: string) =>
        (await recordPredictions(tx, { reference, predictions: [{ subject: reference }] })).versionId;
      const first = await by('churn/1');
      expect(await by('churn@champion')).toBe(first);
      expect(await by('churn:production')).toBe(second);
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '2' });
      expect(await by('churn@champion')).toBe(second);
      return [first, first, second, second];
    });
    const rows = await database.run(tenant, stored);
    expect(rows.map(({ modelVersionId }) => modelVersionId)).toEqual(ids);
  });

  it.each([
    [{ name: 'churn', version: '9' }, 'not_found'],
    [{ versionId: newId() }, 'not_found'],
    [{ reference: 'churn@champion' }, 'not_found'],
    [{ name: 'churn' }, 'invalid_input'],
    [{ name: 'churn', version: '1', versionId: newId() }, 'invalid_input'],
    [{ reference: 'churn' }, 'invalid_input'],
    [{}, 'invalid_input'],
  ])('refuses the version %j as %s', async (version, code) => {
    const tenant = await tenantWithVersion();
    const work = database.run(tenant, (tx) => recordPredictions(tx, { ...version, predictions: [{}] }));
    expect(await refusalOf(work)).toMatchObject({ code });
  });

  it('records for a version that was inserted by hand, whose model has no row', async () => {
    const tenant = freshTenant();
    await database.run(tenant, (tx) =>
      tx.execute(sql`insert into model_registry (name, version) values ('churn', '1')`),
    );
    expect(await record(tenant, [{}])).toMatchObject({ recorded: 1 });
  });

  it('records an id once, in one batch, in a repeated one and in two at the same time in any order', async () => {
    const tenant = await tenantWithVersion();
    const rows = Array.from({ length: 300 }, (_, n) => ({ id: newId(now), score: n, features: { n } }));
    const [first = {}] = rows;
    expect(await record(tenant, [first, first])).toMatchObject({ recorded: 1, repeated: 1 });
    const both = await Promise.all([rows, rows.toReversed()].map((given) => record(tenant, given)));
    expect(both.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(299);
    expect(await record(tenant, rows)).toMatchObject({ recorded: 0, repeated: 300 });
    // Features that came later leave what was recorded before the same.
    await record(tenant, [{ features: { later: 1, n: 1, kind: 'x' } }]);
    expect(await record(tenant, rows)).toMatchObject({ recorded: 0, repeated: 300 });
  });

  it('names the prediction whose id was recorded with other content, and stores nothing of that batch', async () => {
    const tenant = await tenantWithVersion();
    const known = { id: newId(now), score: 1, features: { n: 1, kind: 'x' } };
    await record(tenant, [known]);
    const others = [
      ...[{ score: 2 }, { label: 'x' }, { subject: 's' }, { features: { n: 1 } }, { features: { n: 2, kind: 'x' } }],
      ...[{ output: [1] }, { latencyMs: 1 }, { source: 'replay' }, { runId: newId() }, { variant: 'b' }],
    ] as const;
    for (const other of others) {
      expect(await refusalOf(record(tenant, [{ at: now }, { ...known, ...other }]))).toMatchObject({
        ...{ code: 'conflict', details: { field: 'predictions[1].id', index: 1 } },
      });
    }
    const twice = { ...known, id: newId(now) };
    expect(await refusalOf(record(tenant, [twice, { ...twice, score: 2 }]))).toMatchObject({ code: 'conflict' });
    expect(await countOf(tenant)).toBe(1);
  });

  it.each([
    ['subject', { subject: '' }],
    ['subject', { subject: 'x'.repeat(PREDICTION_LIMITS.subjectLength + 1) }],
    ['subject', { subject: 'a\nb' }],
    ['label', { label: 'x'.repeat(PREDICTION_LIMITS.labelLength + 1) }],
    ['label', { label: 'a\0b' }],
    ['score', { score: '7' }],
    ['output', { output: { x: Number.NaN } }],
    ['output', { output: 'x'.repeat(PREDICTION_LIMITS.outputLength) }],
    ['output', { output: '\ud800' }],
    ['features.[…]', { features: { x: {} } }],
    ['features.[…]', { features: { x: 'x'.repeat(PREDICTION_LIMITS.categoryLength + 1) } }],
    ['features.[…]', { features: { '': 1 } }],
    ['features', { features: JSON.parse('{"__proto__":1,"x":2}') as object }],
    ['latencyMs', { latencyMs: -1 }],
    ['latencyMs', { latencyMs: Number.NaN }],
    ['source', { source: 'dream' }],
    ['runId', { runId: 'x' }],
    ['variant', { variant: 'x'.repeat(PREDICTION_LIMITS.experimentLength + 1) }],
    ['at', { at: new Date('1999-12-31T23:59:59.999Z') }],
    ['at', { at: new Date('2100-01-01Z') }],
    ['at', { at: new Date(now.getTime() + PREDICTION_LIMITS.aheadMs + 1) }],
    ['id', { id: newId(new Date(0)) }],
    ['id', { id: newId(now), at: new Date(now.getTime() + 1) }],
    ['id', { id: '6f1c2f3e-1111-4111-8111-111111111111' }],
    ['features', { features: { n: 'one' } }],
    ['features', { features: { kind: 1 } }],
  ])('names the prediction where its %s is refused, and stores nothing', async (field, wrong) => {
    const tenant = await tenantWithVersion();
    const batch = [{ at: now, features: { n: 1, kind: 'x' } }, { at: now }, { ...wrong }] as PredictionInput[];
    const error = await refusalOf(record(tenant, batch));
    expect(error).toMatchObject({ code: 'invalid_input', details: { index: 2 } });
    expect(String(error.details['field']).replace('features[…]', 'features.[…]')).toBe(`predictions[2].${field}`);
    expect(error.message).toContain('predictions[2].');
    expect(await countOf(tenant)).toBe(0);
    expect(await ledgerOf(tenant)).toBeUndefined();
  });

  it('refuses a field that it does not know', async () => {
    const tenant = await tenantWithVersion();
    const error = await refusalOf(record(tenant, [{}, { scores: 1 } as PredictionInput]));
    expect(error).toMatchObject({ code: 'invalid_input', details: { field: 'predictions[1]', index: 1 } });
  });

  it('adds new features at the end, whoever names them at the same time, and loses none', async () => {
    const tenant = await tenantWithVersion();
    await record(tenant, [{ features: { first: 1 } }]);
    const together = barrier(8);
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await database.run(
          tenant,
          async (tx) => {
            // All eight hold the ledger before the first of them adds to it.
            await recordPredictions(tx, { ...subject, predictions: [{ features: { first: n } }] });
            together.arrive();
            await together.passed;
            const features = { shared: n, [`own${n}`]: n, category: String(n), first: n };
            await recordPredictions(tx, { ...subject, predictions: [{ subject: `s${n}`, features }] });
          },
          { now },
        );
      }),
    );
    const ledger = await ledgerOf(tenant);
    const wanted = ['first', 'shared', ...Array.from({ length: 8 }, (_, n) => `own${n}`)];
    expect(ledger?.numberFeatures[0]).toBe('first');
    expect([...(ledger?.numberFeatures ?? [])].sort()).toEqual(wanted.sort());
    expect(ledger?.categoryFeatures).toEqual(['category']);
    const rows = await database.run(tenant, (tx) => tx.select().from(predictions).where(sql`subject ~ '^s\\d$'`));
    for (const { subject: named, numbers, categories } of rows) {
      const n = Number(named.slice(1));
      const read = Object.fromEntries(
        (ledger?.numberFeatures ?? []).map((name, place) => [name, numbers[place] ?? null]),
      );
      expect(Object.entries(read).filter(([, value]) => value !== null)).toHaveLength(3);
      expect(read).toMatchObject({ first: n, shared: n, [`own${n}`]: n });
      expect(categories).toEqual([String(n)]);
    }
  });

  it('makes the ledger once, whoever records the first prediction at the same time', async () => {
    const tenant = await tenantWithVersion();
    await Promise.all(Array.from({ length: 8 }, (_, n) => record(tenant, [{ features: { [`f${n}`]: n } }])));
    expect((await ledgerOf(tenant))?.numberFeatures).toHaveLength(8);
    expect(await countOf(tenant)).toBe(8);
  });

  it('holds the limit of features exactly', async () => {
    const tenant = await tenantWithVersion();
    const named = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${from + n}`, n]));
    await record(tenant, [{ features: named(0, PREDICTION_LIMITS.features - 1) }]);
    expect(await refusalOf(record(tenant, [{ features: named(0, 5) }, { features: named(5_000, 2) }]))).toMatchObject({
      ...{ code: 'invalid_input', details: { index: 1, limit: PREDICTION_LIMITS.features } },
    });
    await record(tenant, [{ features: named(5_000, 1) }]);
    expect((await ledgerOf(tenant))?.numberFeatures).toHaveLength(PREDICTION_LIMITS.features);
  });

  it('does not wait for another transaction that records the same version', async () => {
    const tenant = await tenantWithVersion();
    await record(tenant, [{ features: { n: 1 } }]);
    const together = barrier(4);
    await Promise.all(
      Array.from({ length: 4 }, () =>
        database.run(tenant, async (tx) => {
          await recordPredictions(tx, { ...subject, predictions: [{ features: { n: 2 } }] });
          together.arrive();
          await together.passed;
        }),
      ),
    );
    expect(await countOf(tenant)).toBe(5);
  });

  it('takes an empty batch', async () => {
    const tenant = await tenantWithVersion();
    expect(await record(tenant, [])).toMatchObject({ recorded: 0, repeated: 0 });
  });
});
