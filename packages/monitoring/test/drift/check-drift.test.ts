import { freshTenant } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { checkDrift, createBaseline, refreshProfiles } from '../../src/index.ts';
import { makeVersion, nameOfDay, noonOf, recordDay, start } from '../support/drift-world.ts';
import { useMonitoring } from '../support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: noonOf(8) };

it('finds the features that drifted, and no others, from profiles of days', async () => {
  const tenant = freshTenant();
  const versionId = await monitoring.run(tenant, makeVersion, options);
  await monitoring.run(
    tenant,
    async (tx) => {
      for (const day of [0, 1, 2, 3]) await recordDay(tx, versionId, day, 500);
    },
    options,
  );
  const baseline = await monitoring.run(
    tenant,
    (tx) => createBaseline(tx, { versionId, window: { from: start, to: noonOf(4) } }),
    options,
  );
  expect(baseline).toMatchObject({ revision: 1, rowCount: 2_000, skipped: [] });
  expect(baseline.fields.map(({ field, name }) => `${field} ${name}`)).toEqual([
    'feature tenure',
    'feature age',
    'feature plan',
    'score ',
    'label ',
  ]);
  await monitoring.run(tenant, (tx) => recordDay(tx, versionId, 5, 500, { shift: 0.5 }), options);
  const moved = { plan: (random: () => number) => (random() < 0.7 ? 'monthly' : 'weekly'), missing: 0.2 };
  await monitoring.run(tenant, (tx) => recordDay(tx, versionId, 6, 500, moved), options);
  await monitoring.run(tenant, (tx) => recordDay(tx, versionId, 7, 500), options);
  while ((await monitoring.run(tenant, (tx) => refreshProfiles(tx), options)).more);

  const drifted = async (day: number) => {
    const window = { fromDay: nameOfDay(day), toDay: nameOfDay(day) };
    const check = await monitoring.run(tenant, (tx) => checkDrift(tx, { versionId, ...window }), options);
    expect(check).toMatchObject({ rowCount: 500, isStale: false, baselineRevision: 1 });
    return check.results.flatMap(({ name, test, verdict }) => (verdict === 'drift' ? [`${name} ${test}`] : [])).sort();
  };
  expect(await drifted(5)).toEqual(['tenure ks']);
  expect(await drifted(6)).toEqual(['plan chi_square', 'plan new_category', 'tenure null_rate']);
  expect(await drifted(7)).toEqual([]);
});
