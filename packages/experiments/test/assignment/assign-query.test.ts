import type { TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  assign,
  assignQuery,
  assignUnits,
  countAssignments,
  createHoldout,
  createLayer,
  forceAssignment,
  listAssignments,
  type UnitAttributes,
} from '../../src/index.ts';
import { manyUnits, moveTo, runningExperiment } from '../support/running-experiment.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const { run } = experiments;

type Given = readonly { readonly unit: string | null; readonly attributes?: UnitAttributes }[];

/** Units of a query, as a table of the caller's would have them. */
function rowsOf(tx: TenantTx, given: Given) {
  const texts = JSON.stringify(given.map(({ unit, attributes = {} }) => ({ unit, attributes })));
  return tx
    .select({ unit: sql<string>`g.unit`.as('unit'), attributes: sql`g.attributes`.as('attributes') })
    .from(sql`jsonb_to_recordset(${texts}::text::jsonb) as g (unit text, attributes jsonb)`)
    .as('rows');
}

const assignAll = (tenant: string, key: string, given: Given, withAttributes = true) =>
  run(tenant, (tx) => {
    const rows = rowsOf(tx, given);
    const { unit, attributes } = rows;
    return assignQuery(tx, { key, rows, columns: { unit, ...(withAttributes && { attributes }) } });
  });

const assignedOf = async (tenant: string, key: string) => {
  const { items } = await run(tenant, (tx) => listAssignments(tx, { key, limit: 1_000 }));
  return new Map(items.map(({ unit, variantKey }) => [unit, variantKey]));
};

describe('assignQuery', () => {
  it('assigns each unit as assignUnits does: ranges, holdouts, layer and targeting', async () => {
    const tenants = [freshTenant(), freshTenant()] as const;
    for (const tenant of tenants) {
      await run(tenant, async (tx) => {
        await createLayer(tx, { key: 'page', seed: '🧪' });
        await createHoldout(tx, { key: 'quarter', share: 0.1 });
      });
      await runningExperiment(
        experiments,
        {
          coverage: 0.7,
          variants: [{ key: 'a' }, { key: 'b' }, { key: 'c' }],
          layer: { key: 'page', start: 0.1, end: 0.95 },
          holdouts: ['quarter'],
          targeting: {
            attributes: { country: 'text', age: 'number', paid: 'boolean', since: 'time' },
            filter: "(country like '_E' or not age < 30) and paid = true and since < '2026-01-01'",
          },
        },
        tenant,
      );
    }
    const given = manyUnits(600, 'é😀').map((unit, n) => ({
      unit,
      attributes: {
        ...(n % 7 !== 0 && { country: ['DE', 'SE', 'FR', 49][n % 4] ?? null }),
        age: n % 5 === 0 ? '31' : n % 60,
        paid: n % 11 !== 0,
        since:
          n % 20 === 5 ? '2026-01-01' : `202${n % 10}-03-01${['T00:00:00Z', ' 00:00+0530', 't00:00:00.5-02'][n % 3]}`,
      },
    }));
    const [one, other] = tenants;
    const outcome = await assignAll(one, 'checkout', given);
    const assignments = await run(other, (tx) => assignUnits(tx, { key: 'checkout', units: given }));
    const expected = new Map(
      assignments.flatMap(({ unit, variantKey }) => (variantKey === null ? [] : [[unit, variantKey]])),
    );
    expect(await assignedOf(one, 'checkout')).toEqual(expected);
    expect(outcome).toMatchObject({ isRunning: true, epoch: 1, assigned: expected.size });
    for (const { variantKey, units } of outcome.variants) {
      expect(units).toBe([...expected.values()].filter((key) => key === variantKey).length);
    }
    expect(new Set(assignments.map(({ reason }) => reason))).toEqual(
      new Set(['assigned', 'targeting', 'layer', 'holdout', 'coverage']),
    );
    // Without attributes nothing is known.
    expect(
      await assignAll(
        one,
        'checkout',
        manyUnits(30).map((unit) => ({ unit })),
        false,
      ),
    ).toMatchObject({ assigned: 0 });
  });

  it('leaves who is assigned, passes over NULL, takes a unit that comes twice once, and assigns nobody when it does not run', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    await run(tenant, (tx) => forceAssignment(tx, { key, unit: 'user-0', variantKey: 'short' }));
    const units = [...manyUnits(50), ...manyUnits(50), null].map((unit) => ({ unit }));
    expect(await assignAll(tenant, key, units)).toMatchObject({ assigned: 49 });
    expect(await assignAll(tenant, key, units)).toMatchObject({ assigned: 0, variants: [{ units: 0 }, { units: 0 }] });
    await moveTo(experiments, tenant, 'paused');
    expect(await assignAll(tenant, key, [{ unit: 'new' }])).toMatchObject({ assigned: 0, isRunning: false });
    expect((await assignedOf(tenant, key)).size).toBe(50);
  });

  it('refuses a unit that is empty or too long, and what is no time, without their values', async () => {
    const { tenant, key } = await runningExperiment(experiments, {
      targeting: { attributes: { since: 'time' }, filter: "since < '2026-01-01' or since is null" },
    });
    const noTimes = ['secret', 'yesterday', '-infinity', '2025-05-04T12:00', '2025-05-04T12:00 CET'];
    const refused = noTimes.map((since) => ({ unit: 'u', attributes: { since } }));
    for (const given of [{ unit: '' }, { unit: 'x'.repeat(257) }, ...refused]) {
      const error = await failureOf(assignAll(tenant, key, [given]));
      expect(error).toMatchObject({ code: 'invalid_input' });
      expect(String(error)).not.toMatch(/secret|xxx/);
      const alone = run(tenant, (tx) => assign(tx, { key, ...given }));
      expect(await failureOf(alone)).toMatchObject({ code: 'invalid_input' });
    }
    expect(await failureOf(assignAll(tenant, 'nobody', []))).toMatchObject({ code: 'not_found' });
  });

  it('agrees with who assigns the same units at the same time', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const stored = barrier();
    const first = run(tenant, async (tx) => {
      await forceAssignment(tx, { key, unit: 'user-7', variantKey: 'short' });
      stored.open();
      await somebodyWaits(tx);
    });
    await stored.passed;
    const units = manyUnits(20).map((unit) => ({ unit }));
    const [counted] = await Promise.all([assignAll(tenant, key, units), first]);
    expect(counted.assigned).toBe(19);
    expect(await run(tenant, (tx) => assign(tx, { key, unit: 'user-7' }))).toMatchObject({
      reason: 'forced',
      variantKey: 'short',
    });
    const counts = await run(tenant, (tx) => countAssignments(tx, { key }));
    expect(counts.reduce((sum, { units: hashed, forcedUnits }) => sum + hashed + forcedUnits, 0)).toBe(20);
  });
});
