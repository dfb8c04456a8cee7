import { dispatchWork, newId } from '@mcp-hub/db-core';
import { prunePredictions, recordPredictions } from '@mcp-hub/predictions';
import { type CategoryGrid, profileCategories, profileNumbers, quantileGrid } from '@mcp-hub/stats';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import {
  checkDrift,
  createBaseline,
  getBaseline,
  listBaselines,
  monitoringProfiles,
  profilesHandler,
  removeMonitoring,
} from '../../src/index.ts';
import { makeVersion, nameOfDay, noonOf, recordDay, start } from '../support/drift-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: noonOf(8), actor: 'ada' };
const run = <Result>(tenant: string, work: Parameters<typeof monitoring.run<Result>>[1]) =>
  monitoring.run(tenant, work, options);

async function makeTenant() {
  const tenant = freshTenant();
  return { tenant, versionId: await run(tenant, makeVersion) };
}

const tenures = Array.from({ length: 200 }, (_, n) => (n * 37) % 101);
const plans = tenures.map((tenure) => (tenure % 3 === 0 ? null : tenure % 3 === 1 ? 'monthly' : 'yearly'));

it('of rows, of a query and of profiles it is the same', async () => {
  const { tenant, versionId } = await makeTenant();
  const rows = {
    features: { tenure: tenures, plan: plans },
    score: Float64Array.from(tenures, (n) => n / 101),
    label: plans,
  };
  await run(tenant, (tx) => createBaseline(tx, { versionId, rows }));
  const ofRows = await run(tenant, (tx) => getBaseline(tx, { versionId }));
  await run(tenant, async (tx) => {
    const given = tx
      .select({
        tenure: sql<number>`n * 37 % 101`.as('tenure'),
        plan: sql<string>`case n * 37 % 101 % 3 when 1 then 'monthly' when 2 then 'yearly' end`.as('plan'),
      })
      .from(sql`generate_series(0, 199) n`)
      .as('given');
    return await createBaseline(tx, {
      versionId,
      query: {
        rows: given,
        features: { tenure: { number: given.tenure }, plan: { category: given.plan } },
        score: sql`${given.tenure}::float8 / 101`,
        label: given.plan,
      },
    });
  });
  const ofQuery = await run(tenant, (tx) => getBaseline(tx, { versionId }));
  const given = ofRows.fields.map(({ field, name, grid, profile }) => ({
    ...{ field, grid, profile },
    ...(name === '' ? {} : { name }),
  }));
  await run(tenant, (tx) => createBaseline(tx, { versionId, given }));
  const ofProfiles = await run(tenant, (tx) => getBaseline(tx, { versionId }));
  expect([ofRows, ofQuery, ofProfiles].map(({ revision, source }) => `${revision} ${source}`)).toEqual([
    '1 rows',
    '2 query',
    '3 given',
  ]);
  expect(ofProfiles.fields).toEqual(ofRows.fields);
  for (const [i, { grid, profile }] of ofQuery.fields.entries()) {
    expect(grid).toEqual(ofRows.fields[i]?.grid);
    expect(profile).toMatchObject({ counts: ofRows.fields[i]?.profile.counts });
  }
  const { items } = await run(tenant, (tx) => listBaselines(tx, { versionId, limit: 2 }));
  expect(items).toHaveLength(2);
  expect(await run(tenant, (tx) => getBaseline(tx, { versionId, revision: 1 }))).toEqual(ofRows);
});

it('takes edges that are given, and bins as many as it is told', async () => {
  const { tenant, versionId } = await makeTenant();
  const { fields } = await run(tenant, (tx) =>
    createBaseline(tx, {
      ...{ versionId, edges: { tenure: [0, 50, 101] }, numberBins: 4, categoryBins: 1 },
      rows: { features: { tenure: tenures, age: tenures, plan: plans, empty: [...tenures].fill(Number.NaN) } },
    }),
  );
  expect(fields.map(({ grid }) => (grid.kind === 'number' ? grid.edges.length : grid.categories.length))).toEqual([
    3, 5, 1,
  ]);
  expect((fields[2]?.grid as CategoryGrid).others).toHaveLength(1);
});

it('refuses what cannot be a baseline', async () => {
  const { tenant, versionId } = await makeTenant();
  const create = async (input: object) =>
    await failureOf(run(tenant, (tx) => createBaseline(tx, { versionId, ...input })));
  const grid = quantileGrid([1, 2, 3], 2);
  for (const input of [
    {},
    { rows: { features: { x: [1, 'a'] } } },
    { rows: { features: { x: [1, 2], y: [1] } } },
    { rows: { features: { x: [1] } }, window: { from: start, to: noonOf(1) } },
    { window: { from: noonOf(1), to: start } },
    { rows: { features: { x: [1] } }, edges: { x: [2, 1] } },
    { rows: { features: { x: [1] } }, timeZone: 'Moon/Crater' },
    { given: [{ field: 'feature', grid, profile: profileNumbers(grid, [1]) }] },
    {
      given: [
        {
          field: 'score',
          grid,
          profile: profileCategories({ kind: 'category', categories: ['a'], others: [], isComplete: true }, ['a']),
        },
      ],
    },
  ]) {
    expect(await create(input)).toMatchObject({ code: 'invalid_input' });
  }
  expect(await create({ window: { from: start, to: noonOf(1) } })).toMatchObject({ code: 'failed_precondition' });
  expect(await create({ versionId: newId(), rows: { features: { x: [1] } } })).toMatchObject({ code: 'not_found' });
  const check = run(tenant, (tx) => checkDrift(tx, { versionId, fromDay: nameOfDay(0), toDay: nameOfDay(0) }));
  expect(await failureOf(check)).toMatchObject({ code: 'not_found' });
});

it('two at once are two revisions', async () => {
  const { tenant, versionId } = await makeTenant();
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 5));
  const both = await Promise.all(
    [1, 2].map(() => run(tenant, (tx) => createBaseline(tx, { versionId, rows: { features: { x: [1, 2] } } }))),
  );
  expect(both.map(({ revision }) => revision).sort()).toEqual([1, 2]);
});

it('a new revision has the days of before profiled by its bins, and the dispatcher does it', async () => {
  const { tenant, versionId } = await makeTenant();
  await run(tenant, (tx) => recordDay(tx, versionId, 6, 40));
  for (const revision of [1, 2]) {
    const made = await run(tenant, (tx) => createBaseline(tx, { versionId, rows: { features: { age: [0, 1, 2] } } }));
    expect(made.revision).toBe(revision);
    await dispatchWork(monitoring.db, { ...profilesHandler({ limit: 20 }), now: () => noonOf(9) });
    const rows = await run(tenant, (tx) =>
      tx
        .select({ day: monitoringProfiles.day, n: monitoringProfiles.rowCount })
        .from(monitoringProfiles)
        .where(sql`${monitoringProfiles.baselineId} = ${made.id}`),
    );
    expect(rows).toEqual([{ day: nameOfDay(6), n: 40 }]);
  }
});

it('a version that is no longer monitored leaves nothing, and its ledger can go', async () => {
  const { tenant, versionId } = await makeTenant();
  await run(tenant, (tx) => recordPredictions(tx, { versionId, predictions: [{ at: noonOf(1), features: { x: 1 } }] }));
  await run(tenant, (tx) => createBaseline(tx, { versionId, rows: { features: { x: [1, 2] } } }));
  const prune = () => prunePredictions(monitoring.db, tenant, { versionId, predictionsBefore: noonOf(8) });
  expect(await prune()).toMatchObject({ predictions: 1, ledgers: 0 });
  expect(await run(tenant, (tx) => removeMonitoring(tx, { versionId }))).toEqual({ baselines: 1, performance: 0 });
  expect(await prune()).toMatchObject({ ledgers: 1 });
});
