import { readOne, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type AssignInput,
  abAssignments,
  assign,
  assignQuery,
  assignUnit,
  assignUnits,
  deleteExperiment,
  findAssignment,
  getAssignment,
  prepareAssignment,
  previewAssignments,
  purgeExperimentUnits,
  setAllocation,
} from '../../src/index.ts';
import { drafted } from '../support/experiment-inputs.ts';
import { manyUnits, moveTo, runningExperiment } from '../support/running-experiment.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const { run } = experiments;
const at = new Date('2026-05-04T12:00:00.123Z');
const storedRows = (tenant: string) =>
  run(tenant, (tx) =>
    tx
      .select()
      .from(abAssignments)
      .where(eq(abAssignments.tenantId, tenantOf(tx))),
  );

describe('assign', () => {
  it('stores the variant that the hash says, once, and gives it again', async () => {
    const { tenant, key, definition } = await runningExperiment(experiments);
    for (const unit of ['ada', '🧪', "o'{brien}\\"]) {
      const { variantId } = assignUnit(definition, unit);
      const first = await run(tenant, (tx) => assign(tx, { key, unit }), { now: at });
      expect(first).toEqual({
        ...{ unit, variantId, reason: 'assigned', epoch: 1, assignedAt: at, isNew: true },
        variantKey: definition.variants.find(({ id }) => id === variantId)?.key,
      });
      const again = await run(tenant, (tx) => assign(tx, { experimentId: definition.id, unit }));
      expect(again).toEqual({ ...first, isNew: false });
      const { isNew: _, ...stored } = first;
      expect(await run(tenant, (tx) => getAssignment(tx, { key, unit }))).toEqual(stored);
      // One statement that writes nothing.
      expect(await readOne(experiments.db, tenant, (tx) => findAssignment(tx, { key, unit }))).toEqual(stored);
    }
    expect(await storedRows(tenant)).toHaveLength(3);
  });

  it('stores nothing of a unit without a variant, and says why', async () => {
    const { tenant, key } = await runningExperiment(experiments, {
      targeting: { attributes: { country: 'text' }, filter: "country = 'DE'" },
      coverage: 0.5,
    });
    const reasonOf = async (unit: string, attributes?: AssignInput['attributes']) =>
      (await run(tenant, (tx) => assign(tx, { key, unit, ...(attributes && { attributes }) }))).reason;
    expect(await reasonOf('ada')).toBe('targeting');
    expect(await reasonOf('ada', { country: 'FR' })).toBe('targeting');
    const reasons = await Promise.all(manyUnits(20).map((unit) => reasonOf(unit, { country: 'DE' })));
    expect(new Set(reasons)).toEqual(new Set(['assigned', 'coverage']));
    expect(await storedRows(tenant)).toHaveLength(reasons.filter((reason) => reason === 'assigned').length);
    const draft = freshTenant();
    await drafted(experiments, draft);
    expect(await run(draft, (tx) => assign(tx, { key, unit: 'ada' }))).toMatchObject({
      ...{ variantId: null, variantKey: null, reason: 'not_running', epoch: 1, assignedAt: null, isNew: false },
    });
  });

  it('of a paused experiment gives the units that are assigned their variant, and nobody new one; of a stopped one too', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const first = await run(tenant, (tx) => assign(tx, { key, unit: 'ada' }));
    const prepared = await run(tenant, (tx) => prepareAssignment(tx, { key }));
    for (const status of ['paused', 'stopped', 'archived'] as const) {
      await moveTo(experiments, tenant, status);
      for (const given of [{ key }, { prepared }]) {
        expect(await run(tenant, (tx) => assign(tx, { ...given, unit: 'ada' }))).toEqual({ ...first, isNew: false });
        expect(await run(tenant, (tx) => assign(tx, { ...given, unit: 'eve' }))).toMatchObject({
          reason: 'not_running',
        });
        expect(
          await run(tenant, (tx) => assignUnits(tx, { key, units: [{ unit: 'eve' }, { unit: 'ada' }] })),
        ).toMatchObject([
          { unit: 'eve', reason: 'not_running' },
          { unit: 'ada', reason: 'assigned', isNew: false },
        ]);
      }
    }
    expect(await storedRows(tenant)).toHaveLength(1);
  });

  it('refuses what cannot be stored, and an experiment that nobody has', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    for (const unit of ['', '\ud83d', 'a\0', 'x'.repeat(257)]) {
      expect(await failureOf(run(tenant, (tx) => assign(tx, { key, unit })))).toMatchObject({ code: 'invalid_input' });
      expect(await failureOf(run(tenant, (tx) => assignUnits(tx, { key, units: [{ unit }] })))).toMatchObject({
        code: 'invalid_input',
      });
    }
    const unit = '😀'.repeat(128);
    expect(await run(tenant, (tx) => assign(tx, { key, unit }))).toMatchObject({ unit, isNew: true });
    expect(await failureOf(run(tenant, (tx) => assign(tx, { key: 'nobody', unit })))).toMatchObject({
      code: 'not_found',
    });
    expect(await failureOf(run(tenant, (tx) => assign(tx, { unit })))).toMatchObject({ code: 'invalid_input' });
    expect(await failureOf(run(tenant, (tx) => getAssignment(tx, { key, unit: 'eve' })))).toMatchObject({
      code: 'not_found',
    });
  });

  it('keeps its variant when the weights change; who comes then gets the new ones', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const units = manyUnits(60).map((unit) => ({ unit }));
    const before = await run(tenant, (tx) => assignUnits(tx, { key, units }));
    await run(tenant, (tx) => setAllocation(tx, { key, weights: { long: 0, short: 1 } }));
    const after = await run(tenant, (tx) => assignUnits(tx, { key, units }));
    expect(after).toEqual(before.map((one) => ({ ...one, isNew: false })));
    expect(new Set(after.map(({ variantKey }) => variantKey))).toEqual(new Set(['long', 'short']));
    for (const { unit } of units.slice(0, 3)) {
      expect(await run(tenant, (tx) => assign(tx, { key, unit }))).toEqual(after.find((one) => one.unit === unit));
    }
    const fresh = await run(tenant, (tx) =>
      assignUnits(tx, { key, units: manyUnits(30, 'new').map((unit) => ({ unit })) }),
    );
    expect(new Set(fresh.map(({ variantKey, epoch }) => `${variantKey} ${epoch}`))).toEqual(new Set(['short 2']));
  });

  it('keeps its experiment from being deleted until the units are purged', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    await run(tenant, (tx) => assign(tx, { key, unit: 'ada' }));
    for (const status of ['stopped', 'archived'] as const) await moveTo(experiments, tenant, status);
    const refused = await failureOf(run(tenant, (tx) => deleteExperiment(tx, { key })));
    expect(refused).toMatchObject({ code: 'failed_precondition' });
    expect(await purgeExperimentUnits(experiments.db, tenant, { key })).toBe(1);
    await run(tenant, (tx) => deleteExperiment(tx, { key }));
    expect(await storedRows(tenant)).toEqual([]);
  });
});

describe('concurrent first calls', () => {
  it('agree: the first that stores wins, and the others wait for it', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    for (const given of [{ key }, { prepared: await run(tenant, (tx) => prepareAssignment(tx, { key })) }]) {
      const unit = JSON.stringify(Object.keys(given));
      const stored = barrier();
      const first = run(tenant, async (tx) => {
        const assignment = await assign(tx, { ...given, unit });
        stored.open();
        await somebodyWaits(tx);
        return assignment;
      });
      await stored.passed;
      const others = Array.from({ length: 4 }, () => run(tenant, (tx) => assign(tx, { ...given, unit })));
      const winner = await first;
      expect(winner.isNew).toBe(true);
      expect(await Promise.all(others)).toEqual(others.map(() => ({ ...winner, isNew: false })));
    }
  });

  it('agree where they come under different allocations: the row that was stored holds', async () => {
    const { tenant, key, definition } = await runningExperiment(experiments);
    const unit =
      manyUnits(100).find((one) => assignUnit(definition, one).variantId === definition.variants[0]?.id) ?? '';
    const stored = barrier();
    const first = run(tenant, async (tx) => {
      const assignment = await assign(tx, { key, unit });
      stored.open();
      await somebodyWaits(tx);
      return assignment;
    });
    await stored.passed;
    // The row is held FOR KEY SHARE, which a new allocation does not wait for.
    await run(tenant, (tx) => setAllocation(tx, { key, weights: { long: 0, short: 1 } }));
    const second = run(tenant, (tx) => assign(tx, { key, unit }));
    expect(await first).toMatchObject({ variantKey: 'long', epoch: 1, isNew: true });
    expect(await second).toMatchObject({ variantKey: 'long', epoch: 1, isNew: false });
  });

  it('take over from one that was rolled back', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const stored = barrier();
    const undo = new Error('undo');
    const first = run(tenant, async (tx) => {
      await assign(tx, { key, unit: 'ada' });
      stored.open();
      await somebodyWaits(tx);
      throw undo;
    });
    await stored.passed;
    const second = run(tenant, (tx) => assign(tx, { key, unit: 'ada' }));
    expect(await failureOf(first)).toBe(undo);
    expect(await second).toMatchObject({ isNew: true });
  });

  it('in bulk take the units in one order, in whichever they are given: one that waits holds none that comes later', async () => {
    for (const method of ['assignUnits', 'assignQuery'] as const) {
      const { tenant, key } = await runningExperiment(experiments);
      const units = ['z', 'm', 'a'];
      const held = barrier();
      const first = run(tenant, async (tx) => {
        await assign(tx, { key, unit: 'm' });
        held.open();
        await somebodyWaits(tx);
        // The other waits for this transaction, at m: had it taken z before, this would wait for the other.
        return await assign(tx, { key, unit: 'z' });
      });
      await held.passed;
      const bulk = run(tenant, async (tx) => {
        if (method === 'assignUnits') return await assignUnits(tx, { key, units: units.map((unit) => ({ unit })) });
        const list = JSON.stringify(units);
        const rows = tx
          .select({ unit: sql<string>`u`.as('unit') })
          .from(sql`jsonb_array_elements_text(${list}::text::jsonb) u`)
          .as('rows');
        return await assignQuery(tx, { key, rows, columns: { unit: rows.unit } });
      });
      expect(await first).toMatchObject({ isNew: true });
      await bulk;
      expect(await storedRows(tenant)).toHaveLength(3);
    }
  });

  it('in bulk do not wait for each other in a circle, and agree', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const units = manyUnits(300)
      .concat(['🧪', '\uffee', 'é', 'Z', 'a'])
      .map((unit) => ({ unit }));
    const calls = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        run(tenant, (tx) => assignUnits(tx, { key, units: n % 2 === 0 ? units : units.toReversed() })),
      ),
    );
    const byUnit = (assignments: (typeof calls)[number]) =>
      new Map(assignments.map(({ unit, variantId }) => [unit, variantId]));
    for (const call of calls) expect(byUnit(call)).toEqual(byUnit(calls[0] ?? []));
    expect(calls.flat().filter(({ isNew }) => isNew)).toHaveLength(units.length);
    expect(calls[0]?.map(({ unit }) => unit)).toEqual(units.map(({ unit }) => unit));
  });
});

describe('a prepared definition', () => {
  it('is not assigned by when it no longer holds', async () => {
    const { tenant, key } = await runningExperiment(experiments, {
      targeting: { attributes: { country: 'text' }, filter: "country = 'DE'" },
    });
    const prepared = await run(tenant, (tx) => prepareAssignment(tx, { key }));
    await run(tenant, (tx) => setAllocation(tx, { key, weights: { long: 0, short: 1 } }));
    for (const unit of manyUnits(10)) {
      const given = { prepared, unit, attributes: { country: 'DE' } };
      expect(await run(tenant, (tx) => assign(tx, given))).toMatchObject({ variantKey: 'short', epoch: 2 });
    }
    expect(await run(tenant, (tx) => assign(tx, { prepared, unit: 'eve' }))).toMatchObject({
      reason: 'targeting',
      epoch: 2,
    });
  });

  it("is of its own tenant's experiment", async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const prepared = await run(tenant, (tx) => prepareAssignment(tx, { key }));
    const other = freshTenant();
    expect(await failureOf(run(other, (tx) => assign(tx, { prepared, unit: 'ada' })))).toMatchObject({
      code: 'not_found',
    });
    expect(await storedRows(other)).toEqual([]);
  });
});

describe('previewAssignments', () => {
  it('says what assignUnits will, also of a draft, and writes nothing', async () => {
    const tenant = freshTenant();
    const { key } = await drafted(experiments, tenant, { coverage: 0.6 });
    const units = manyUnits(50).map((unit) => ({ unit }));
    const preview = await run(tenant, (tx) => previewAssignments(tx, { key, units }), { now: at, readOnly: true });
    expect(await storedRows(tenant)).toEqual([]);
    await moveTo(experiments, tenant, 'running');
    expect(await run(tenant, (tx) => assignUnits(tx, { key, units }), { now: at })).toEqual(preview);
    expect(new Set(preview.map(({ reason, isNew }) => `${reason} ${isNew}`))).toEqual(
      new Set(['assigned true', 'coverage false']),
    );
    expect(await run(tenant, (tx) => previewAssignments(tx, { key, units }))).toEqual(
      preview.map((one) => ({ ...one, isNew: false })),
    );
  });
});

describe('assignUnits', () => {
  it('takes a unit that is named twice once, by the attributes that come first', async () => {
    const { tenant, key } = await runningExperiment(experiments, {
      targeting: { attributes: { country: 'text' }, filter: "country = 'DE'" },
    });
    const units = [{ unit: 'ada', attributes: { country: 'DE' } }, { unit: 'ada' }, { unit: 'eve' }];
    const assignments = await run(tenant, (tx) => assignUnits(tx, { key, units }));
    expect(assignments.map(({ unit, reason }) => `${unit} ${reason}`)).toEqual([
      'ada assigned',
      'ada assigned',
      'eve targeting',
    ]);
    expect(await run(tenant, (tx) => assignUnits(tx, { key, units: [] }))).toEqual([]);
    const tooMany = { key, units: Array.from({ length: 10_001 }, () => ({ unit: 'u' })) };
    expect(await failureOf(run(tenant, (tx) => assignUnits(tx, tooMany)))).toMatchObject({
      code: 'invalid_input',
      details: { limit: 10_000 },
    });
  });

  it('finds the experiment changed since it was read, and assigns by what then holds', async () => {
    for (const method of ['assign', 'assignUnits', 'assignQuery'] as const) {
      const { tenant, key } = await runningExperiment(experiments);
      const units = manyUnits(20).map((unit) => ({ unit }));
      await run(tenant, async (tx) => {
        beforeCall(tx, { assign: 2, assignUnits: 3, assignQuery: 2 }[method], () =>
          run(tenant, (other) => setAllocation(other, { key, weights: { long: 0, short: 1 } })),
        );
        if (method === 'assign') await assign(tx, { key, unit: 'ada' });
        else if (method === 'assignUnits') await assignUnits(tx, { key, units });
        else {
          const rows = tx
            .select({ unit: sql<string>`n::text`.as('unit') })
            .from(sql`generate_series(1, 20) n`)
            .as('rows');
          await assignQuery(tx, { key, rows, columns: { unit: rows.unit } });
        }
      });
      const stored = await storedRows(tenant);
      expect(stored).toHaveLength(method === 'assign' ? 1 : 20);
      expect(new Set(stored.map(({ epoch, variantId }) => `${epoch} ${variantId}`)).size).toBe(1);
      expect(stored[0]?.epoch).toBe(2);
    }
  });
});

/** Does something before a transaction sends its statement of this number, of those that are raw SQL. */
function beforeCall(tx: TenantTx, number: number, work: () => Promise<unknown>): void {
  const execute = tx.execute.bind(tx);
  let calls = 0;
  Object.defineProperty(tx, 'execute', {
    value: async (query: Parameters<typeof execute>[0]) => {
      calls += 1;
      if (calls === number) await work();
      return await execute(query);
    },
  });
}
