import { newId, type TenantTx } from '@mcp-hub/db-core';
import { evaluateBinary } from '@mcp-hub/evaluation';
import { recordLabels, recordPredictions } from '@mcp-hub/predictions';
import { mulberry32 } from '@mcp-hub/stats';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { auditEstimates, checkPerformance, listPerformance, readLabelMaturity } from '../../src/index.ts';
import { DAY_MS, makeVersion, nameOfDay, noonOf, start } from '../support/drift-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const now = noonOf(40);
const run = <Result>(tenant: string, work: (tx: TenantTx) => Promise<Result>, at = now) =>
  monitoring.run(tenant, work, { now: at });

/** Customers whose chance to leave is their score, or half of it where the model has lost its sense. */
function customers(day: number, count: number, truthOf = (score: number) => score) {
  const random = mulberry32(day);
  return Array.from({ length: count }, (_, n) => {
    const score = random();
    const at = new Date(start.getTime() + day * DAY_MS + n);
    const truth = random() < truthOf(score) ? 'leaves' : 'stays';
    return { id: newId(at), subject: `${day} ${n}`, score, label: score >= 0.5 ? 'leaves' : 'stays', at, truth };
  });
}

async function makeWorld() {
  const tenant = freshTenant();
  const versionId = await run(tenant, makeVersion);
  const reference = customers(1_000, 4_000);
  await run(tenant, (tx) =>
    evaluateBinary(tx, {
      ...{ versionId, dataset: { name: 'held back', digest: 'sha256:1' }, positiveLabel: 'leaves' },
      ...{ labels: reference.map(({ truth }) => truth), scores: reference.map(({ score }) => score) },
    }),
  );
  return { tenant, versionId };
}

type Customers = ReturnType<typeof customers>;

async function record(tenant: string, versionId: string, given: Customers) {
  const predictions = given.map(({ id, subject, score, label }) => ({ id, subject, score, label }));
  await run(tenant, (tx) => recordPredictions(tx, { versionId, predictions }));
}

async function label(tenant: string, given: Customers, delayMs: (n: number) => number) {
  const labels = given.map(({ subject, truth, at }, n) => ({
    ...{ subject, label: truth, observedAt: new Date(at.getTime() + delayMs(n)) },
  }));
  await run(tenant, (tx) => recordLabels(tx, { name: 'churn', labels }));
}

const onDay = (day: number) => ({ fromDay: nameOfDay(day), toDay: nameOfDay(day) });
const ageMs = 2 * DAY_MS;

it('says that a version got worse by labels, and not while it does as it did', async () => {
  const { tenant, versionId } = await makeWorld();
  const [well, ill] = [customers(1, 1_000), customers(2, 1_000, (score) => (score + 0.5) / 2)];
  for (const given of [well, ill]) {
    await record(tenant, versionId, given);
    await label(tenant, given, () => DAY_MS);
  }
  const verdicts = async (day: number) => {
    const check = await run(tenant, (tx) =>
      checkPerformance(tx, { versionId, positiveLabel: 'leaves', ...onDay(day), ageMs }),
    );
    expect(check).toMatchObject({ predictionCount: 1_000, labelledCount: 1_000 });
    return check.results.map(({ metric, basis, verdict }) => `${basis} ${metric} ${verdict}`);
  };
  const metrics = ['accuracy', 'precision', 'recall', 'f1'];
  const estimated = metrics.map((metric) => `estimated ${metric} stable`);
  expect(await verdicts(1)).toEqual([...metrics.map((metric) => `realised ${metric} stable`), ...estimated]);
  // What the scores say of themselves did not change: only labels show that they are wrong.
  expect(await verdicts(2)).toEqual([...metrics.map((metric) => `realised ${metric} degraded`), ...estimated]);
  const { items } = await run(tenant, (tx) => listPerformance(tx, { versionId, filter: "verdict = 'degraded'" }));
  expect(items).toHaveLength(4);
  expect(items[0]).toMatchObject({ fromDay: nameOfDay(2), basis: 'realised', ageMs });
});

it('counts what was known at one age: later labels and corrections change nothing, and a young window has no verdict', async () => {
  const { tenant, versionId } = await makeWorld();
  const given = customers(1, 400);
  await record(tenant, versionId, given);
  await label(tenant, given, (n) => (n < 240 ? DAY_MS : 3 * DAY_MS));
  const check = async (at = now) => {
    const found = await run(
      tenant,
      (tx) => checkPerformance(tx, { versionId, positiveLabel: 'leaves', ...onDay(1), ageMs, metrics: ['accuracy'] }),
      at,
    );
    const [{ value, verdict } = { value: null, verdict: null }] = found.results;
    return { labelled: found.labelledCount, value, verdict };
  };
  const before = await check();
  expect(before).toMatchObject({ labelled: 240, verdict: 'stable' });
  const wrong = given.map((customer) => ({ ...customer, truth: customer.truth === 'leaves' ? 'stays' : 'leaves' }));
  await label(tenant, wrong, () => 10 * DAY_MS);
  expect(await check()).toEqual(before);
  expect(await check(new Date(start.getTime() + 4 * DAY_MS - 1))).toMatchObject({ verdict: 'immature' });
  expect(await check(new Date(start.getTime() + 4 * DAY_MS))).toMatchObject({ verdict: 'stable' });
});

it('estimates before labels are there, and audits the estimates by what turned out', async () => {
  const { tenant, versionId } = await makeWorld();
  for (const day of [1, 2, 3, 4]) {
    const given = customers(day, 800);
    await record(tenant, versionId, given);
    const early = await run(
      tenant,
      (tx) => checkPerformance(tx, { versionId, positiveLabel: 'leaves', ...onDay(day), ageMs }),
      noonOf(day + 1),
    );
    expect(early.labelledCount).toBe(0);
    expect(early.results.find(({ basis, metric }) => basis === 'realised' && metric === 'recall')).toMatchObject({
      ...{ verdict: 'immature', value: null },
    });
    await label(tenant, given, () => DAY_MS);
    await run(tenant, (tx) => checkPerformance(tx, { versionId, positiveLabel: 'leaves', ...onDay(day), ageMs }));
  }
  for (const metric of ['accuracy', 'precision', 'recall', 'f1'] as const) {
    const audit = await run(tenant, (tx) => auditEstimates(tx, { versionId, metric }));
    expect(audit.windows.map(({ fromDay }) => fromDay)).toEqual([1, 2, 3, 4].map(nameOfDay));
    expect(Math.abs(audit.bias ?? 1)).toBeLessThan(0.03);
    expect(audit.coverage).toBeGreaterThanOrEqual(0.5);
  }
});

it('draws the curve of how labels come, of predictions that are old enough to tell', async () => {
  const { tenant, versionId } = await makeWorld();
  for (const day of [1, 2]) {
    const given = customers(day, 100);
    await record(tenant, versionId, given);
    await label(tenant, given.slice(0, 90), (n) => (n < 50 ? DAY_MS : 5 * DAY_MS));
  }
  const window = { from: start, to: noonOf(4), agesMs: [DAY_MS - 1, DAY_MS, 5 * DAY_MS, 8 * DAY_MS] };
  const read = (at: Date) => run(tenant, (tx) => readLabelMaturity(tx, { versionId, ...window }), at);
  expect((await read(now)).map(({ count, known }) => [count, known])).toEqual([
    [200, 0],
    [200, 100],
    [200, 180],
    [200, 180],
  ]);
  // On the seventh day only those of the first are five days old.
  const then = await read(new Date(start.getTime() + 6.5 * DAY_MS));
  expect(then.map(({ count, known }) => [count, known])).toEqual([
    [200, 0],
    [200, 100],
    [100, 90],
    [0, 0],
  ]);
  expect(then[3]).toMatchObject({ share: null, lower: null });
});

it('says what it needs', async () => {
  const { tenant, versionId } = await makeWorld();
  const check = (input: object) =>
    run(tenant, (tx) => checkPerformance(tx, { versionId, positiveLabel: 'leaves', ...onDay(1), ...input }));
  expect((await check({})).results.every(({ verdict, reason }) => verdict === 'undefined' && reason !== null)).toBe(
    true,
  );
  expect(await failureOf(check({ evaluationId: newId() }))).toMatchObject({ code: 'not_found' });
  expect(await failureOf(check({ fromDay: '2026-02-30' }))).toMatchObject({ code: 'invalid_input' });
  expect(await failureOf(check({ fromDay: nameOfDay(2) }))).toMatchObject({ code: 'invalid_input' });
  await record(tenant, versionId, customers(1, 20));
  await label(tenant, customers(1, 20), () => DAY_MS);
  const few = await check({ ageMs, metrics: ['accuracy'] });
  expect(few.results[0]).toMatchObject({ verdict: 'undefined', reason: 'Fewer than 30 predictions are labelled.' });
});
