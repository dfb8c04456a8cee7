import { newId } from '@mcp-hub/db-core';
import { prunePredictions, recordPredictions, watchLedger } from '@mcp-hub/predictions';
import { predictionDayMarks } from '@mcp-hub/predictions/schema';
import { profileCategories, profileNumbers } from '@mcp-hub/stats';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { count } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBaseline, getBaseline, monitoringProfiles, refreshProfiles } from '../../src/index.ts';
import { readWindowProfiles } from '../../src/profiles/read-profiles.ts';
import { DAY_MS, makeVersion, nameOfDay, noonOf, recordDay, start, trafficOf } from '../support/drift-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: noonOf(8) };
const run = <Result>(tenant: string, work: Parameters<typeof monitoring.run<Result>>[1]) =>
  monitoring.run(tenant, work, options);

async function refreshAll(tenant: string) {
  while ((await run(tenant, (tx) => refreshProfiles(tx))).more);
}

async function makeMonitored(
  rows: Parameters<typeof createBaseline>[1]['rows'] = { features: { tenure: [1, 2, 3, 4] } },
) {
  const tenant = freshTenant();
  const versionId = await run(tenant, makeVersion);
  await run(tenant, (tx) => createBaseline(tx, { versionId, rows, numberBins: 2, profileFrom: noonOf(8) }));
  await refreshAll(tenant);
  return { tenant, versionId };
}

const profilesOf = (tenant: string, versionId: string, fromDay: string, toDay = fromDay) =>
  run(tenant, async (tx) => {
    const { id, modelVersionId, fields } = await getBaseline(tx, { versionId });
    return { ...(await readWindowProfiles(tx, { id, modelVersionId }, { fromDay, toDay })), fields };
  });

const anyNumber = fc.oneof(
  fc.double({ min: -5, max: 5 }),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 1, 4, 1e200, 1.7e308),
);

it('a day in SQL is what the same values come to in arrays, with whatever values and gaps', async () => {
  const edges = { x: [-4, -1, 0, 1, 4] };
  let day = 0;
  const { tenant, versionId } = await makeMonitored();
  await run(tenant, (tx) =>
    createBaseline(tx, {
      versionId,
      rows: {
        features: { x: [1, 2], plan: ['a', 'a', 'b', 'é', "o'k", 'a{b,"\\'].slice(0, 2), kind: ['a', 'b'] },
        score: [0.5, 0.7],
        label: ['yes', 'no'],
      },
      edges,
      categoryBins: 1,
      profileFrom: noonOf(8),
    }),
  );
  const text = fc.constantFrom('a', 'b', 'c', '', 'A', 'é', "o'k", 'a{b,"\\', 'NULL');
  const row = fc.record({
    x: fc.option(anyNumber),
    plan: fc.option(text.filter((value) => value !== '')),
    score: fc.option(anyNumber),
    label: fc.option(text.filter((value) => value !== '')),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      // 25 years of days, so that each has its own.
      day += 1;
      const at = Date.UTC(2001, 0, 1) + day * DAY_MS;
      await run(tenant, (tx) =>
        recordPredictions(tx, {
          versionId,
          predictions: rows.map(({ x, plan, score, label }, n) => ({
            id: newId(new Date(at + n)),
            ...(score === null ? {} : { score }),
            ...(label === null ? {} : { label }),
            features: { ...(x === null ? {} : { x }), ...(plan === null ? {} : { plan }) },
          })),
        }),
      );
      await refreshAll(tenant);
      const found = await profilesOf(tenant, versionId, new Date(at).toISOString().slice(0, 10));
      expect(found.rowCount).toBe(rows.length);
      for (const { number, field, name, grid } of found.fields) {
        const [profile] = found.profiles.get(number) ?? [];
        const given = rows.map((one) =>
          field === 'feature'
            ? name === 'x'
              ? one.x
              : name === 'plan'
                ? one.plan
                : null
            : one[field as 'score' | 'label'],
        );
        if (grid.kind === 'category') {
          const { counts, nulls } = profileCategories(grid, given as (string | null)[]);
          expect(profile).toMatchObject({ counts, nulls });
          continue;
        }
        const numbers = given as (number | null)[];
        const { counts, nulls, nans } = profileNumbers(
          grid,
          numbers.map((value) => value),
        );
        expect(profile).toMatchObject({ kind: 'number', counts, nulls, nans });
        const bounded = numbers.filter((value): value is number => value !== null && Math.abs(value) <= 1e140);
        if (profile?.kind !== 'number') throw new Error('A number has the profile of one.');
        expect(profile.moments.n).toBe(bounded.length);
        if (bounded.every((value) => Math.abs(value) < 10)) {
          const { moments } = profileNumbers(grid, numbers);
          expect(profile.moments.mean).toBeCloseTo(moments.mean, 9);
          expect(profile.moments.m2).toBeCloseTo(moments.m2, 9);
        }
        expect(profile.min).toBe(bounded.length === 0 ? null : Math.min(...bounded) + 0);
        expect(profile.max).toBe(bounded.length === 0 ? null : Math.max(...bounded) + 0);
      }
    }),
    { numRuns: 40 },
  );
});

it('what comes late is in its day, and a day that was read already is bit for bit the same', async () => {
  const { tenant, versionId } = await makeMonitored();
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 50));
  await refreshAll(tenant);
  const late = trafficOf(1, 30, { seed: 1 });
  await run(tenant, (tx) => recordPredictions(tx, { versionId, predictions: late }));
  expect((await profilesOf(tenant, versionId, nameOfDay(1))).isStale).toBe(true);
  await refreshAll(tenant);
  const found = await profilesOf(tenant, versionId, nameOfDay(1));
  expect(found).toMatchObject({ rowCount: 80, isStale: false });
  // The same ids again are a mark, and no other profile.
  await run(tenant, (tx) => recordPredictions(tx, { versionId, predictions: late }));
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toEqual({ days: 1, changed: 0, more: false });
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toEqual({ days: 0, changed: 0, more: false });
});

it('a recorder that commits after the refresh looked leaves a mark of its own', async () => {
  const { tenant, versionId } = await makeMonitored();
  const recorded = barrier();
  const refreshed = barrier();
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 10));
  const recorder = run(tenant, async (tx) => {
    await recordDay(tx, versionId, 1, 10, { seed: 1 });
    recorded.open();
    await refreshed.passed;
  });
  await recorded.passed;
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toMatchObject({ days: 1 });
  expect(await profilesOf(tenant, versionId, nameOfDay(1))).toMatchObject({ rowCount: 10 });
  refreshed.open();
  await recorder;
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toMatchObject({ days: 1 });
  expect(await profilesOf(tenant, versionId, nameOfDay(1))).toMatchObject({ rowCount: 20 });
});

it('two refreshes do not read one version at once, and neither is lost', async () => {
  const { tenant, versionId } = await makeMonitored();
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 10));
  const held = barrier();
  const looked = barrier();
  const first = run(tenant, async (tx) => {
    const refreshed = await refreshProfiles(tx);
    held.open();
    await looked.passed;
    return refreshed;
  });
  await held.passed;
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 10, { seed: 1 }));
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toEqual({ days: 0, changed: 0, more: true });
  looked.open();
  expect(await first).toMatchObject({ days: 1 });
  await refreshAll(tenant);
  expect(await profilesOf(tenant, versionId, nameOfDay(1))).toMatchObject({ rowCount: 20 });
});

it('the first baseline waits for who is recording, so that nothing is recorded without a mark', async () => {
  const tenant = freshTenant();
  const versionId = await run(tenant, makeVersion);
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 5));
  const recorded = barrier();
  const done = barrier();
  const recorder = run(tenant, async (tx) => {
    await recordDay(tx, versionId, 1, 10, { seed: 1 });
    recorded.open();
    await done.passed;
  });
  await recorded.passed;
  const create = (lockTimeoutMs: number) =>
    monitoring.run(tenant, (tx) => createBaseline(tx, { versionId, rows: { features: { tenure: [1, 2] } } }), {
      ...options,
      lockTimeoutMs,
    });
  expect(await failureOf(create(100))).toMatchObject({ code: 'unavailable' });
  const created = create(10_000);
  done.open();
  await Promise.all([recorder, created]);
  await refreshAll(tenant);
  expect(await profilesOf(tenant, versionId, nameOfDay(1))).toMatchObject({ rowCount: 15 });
});

it('versions without a baseline are not marked, and marks of those that lost theirs go', async () => {
  const { tenant } = await makeMonitored();
  const other = await run(tenant, makeVersion);
  await run(tenant, (tx) => recordDay(tx, other, 1, 10));
  const marks = () => run(tenant, async (tx) => (await tx.select({ n: count() }).from(predictionDayMarks))[0]?.n ?? 0);
  expect(await marks()).toBe(0);
  await run(tenant, (tx) => watchLedger(tx, { versionId: other }));
  await run(tenant, (tx) => recordDay(tx, other, 2, 10));
  expect(await marks()).toBe(1);
  expect(await run(tenant, (tx) => refreshProfiles(tx))).toEqual({ days: 0, changed: 0, more: false });
  expect(await marks()).toBe(0);
});

it('a day whose predictions were deleted keeps its profile', async () => {
  const { tenant, versionId } = await makeMonitored();
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 50));
  await refreshAll(tenant);
  await prunePredictions(monitoring.db, tenant, { predictionsBefore: new Date(start.getTime() + 2 * DAY_MS) });
  await run(tenant, (tx) => recordDay(tx, versionId, 1, 3, { seed: 1 }));
  await refreshAll(tenant);
  expect(await profilesOf(tenant, versionId, nameOfDay(1))).toMatchObject({ rowCount: 50, isStale: false });
});

it('days are those of the time zone, also where it changes its clock', async () => {
  const tenant = freshTenant();
  const versionId = await run(tenant, makeVersion);
  await run(tenant, (tx) =>
    createBaseline(tx, {
      versionId,
      rows: { features: { x: [1, 2] } },
      timeZone: 'Europe/Berlin',
      profileFrom: noonOf(8),
    }),
  );
  // The 29th of March 2026 has 23 hours there: from 23:00 to 22:00 of UTC.
  const times = ['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'];
  const predictions = times.map((at) => ({ at: new Date(at), features: { x: 1 } }));
  await run(tenant, (tx) => recordPredictions(tx, { versionId, predictions }));
  await refreshAll(tenant);
  const counts = await run(tenant, (tx) =>
    tx
      .select({ day: monitoringProfiles.day, n: monitoringProfiles.rowCount })
      .from(monitoringProfiles)
      .orderBy(monitoringProfiles.day),
  );
  expect(counts).toEqual([
    { day: '2026-03-28', n: 1 },
    { day: '2026-03-29', n: 2 },
    { day: '2026-03-30', n: 1 },
  ]);
});
