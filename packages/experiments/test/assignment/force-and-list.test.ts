import { failureOf } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  assign,
  assignUnits,
  countAssignments,
  forceAssignment,
  getAssignment,
  listAssignments,
  removeForcedAssignment,
  setAllocation,
} from '../../src/index.ts';
import { announcedOf, historyOf } from '../support/experiment-inputs.ts';
import { manyUnits, moveTo, runningExperiment } from '../support/running-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const { run } = experiments;
const at = new Date('2026-05-04T12:00:00Z');

describe('forceAssignment', () => {
  it('gives a unit a variant by hand, marked, with its row in the history and an event', async () => {
    const { tenant, key, definition } = await runningExperiment(experiments);
    const { id } = definition;
    const [long, short] = definition.variants;
    const first = await run(tenant, (tx) => assign(tx, { key, unit: 'ada' }));
    const other = first.variantKey === 'long' ? 'short' : 'long';
    const forced = await run(
      tenant,
      (tx) => forceAssignment(tx, { key, unit: 'ada', variantKey: other, reason: 'her own phone' }),
      { now: at, actor: 'eve' },
    );
    expect(forced).toEqual({
      ...{ unit: 'ada', variantKey: other, reason: 'forced', epoch: 1, assignedAt: at },
      variantId: (other === 'long' ? long : short)?.id,
    });
    expect(await run(tenant, (tx) => assign(tx, { key, unit: 'ada' }))).toEqual({ ...forced, isNew: false });
    const change = { unit: 'ada', variantId: forced.variantId, variantKey: other, fromVariantId: first.variantId };
    expect((await historyOf(experiments, tenant, id)).at(-1)).toMatchObject({
      ...{ kind: 'assignment_forced', changeNumber: 3, reason: 'her own phone', actor: 'eve', detail: change },
    });
    expect((await announcedOf(experiments, tenant)).at(-1)).toMatchObject({
      ...{ topic: 'experiment.assignment_forced', subject_id: id, payload: change },
    });
    // Once more is no change.
    expect(await run(tenant, (tx) => forceAssignment(tx, { key, unit: 'ada', variantKey: other }))).toEqual(forced);
    expect(await historyOf(experiments, tenant, id)).toHaveLength(3);
  });

  it('is taken away, and then the hash decides again', async () => {
    const { tenant, key, definition } = await runningExperiment(experiments);
    for (const variantKey of ['long', 'short']) {
      await run(tenant, (tx) => forceAssignment(tx, { key, unit: 'ada', variantKey }));
    }
    await run(tenant, (tx) => setAllocation(tx, { key, weights: { long: 1, short: 0 } }));
    expect(await run(tenant, (tx) => removeForcedAssignment(tx, { key, unit: 'ada', reason: 'sold it' }))).toBe(true);
    expect((await historyOf(experiments, tenant, definition.id)).at(-1)).toMatchObject({
      ...{ kind: 'assignment_unforced', reason: 'sold it', detail: { unit: 'ada' } },
    });
    expect(await run(tenant, (tx) => assign(tx, { key, unit: 'ada' }))).toMatchObject({
      ...{ variantKey: 'long', reason: 'assigned', epoch: 2, isNew: true },
    });
    // What the hash gave is not taken away.
    expect(await run(tenant, (tx) => removeForcedAssignment(tx, { key, unit: 'ada' }))).toBe(false);
    expect(await run(tenant, (tx) => getAssignment(tx, { key, unit: 'ada' }))).toMatchObject({ reason: 'assigned' });
  });

  it('needs a variant that there is, and an experiment that runs or is paused', async () => {
    const { tenant, key } = await runningExperiment(experiments);
    const force = (variantKey: string) => run(tenant, (tx) => forceAssignment(tx, { key, unit: 'ada', variantKey }));
    expect(await failureOf(force('none'))).toMatchObject({ code: 'not_found', details: { field: 'variantKey' } });
    await moveTo(experiments, tenant, 'paused');
    expect(await force('long')).toMatchObject({ variantKey: 'long' });
    await moveTo(experiments, tenant, 'stopped');
    expect(await failureOf(force('short'))).toMatchObject({ code: 'failed_precondition' });
    const remove = run(tenant, (tx) => removeForcedAssignment(tx, { key, unit: 'ada' }));
    expect(await failureOf(remove)).toMatchObject({ code: 'failed_precondition' });
  });
});

describe('listAssignments and countAssignments', () => {
  it('page through the units of one experiment, and count them by variant and epoch', async () => {
    const { tenant, key, definition } = await runningExperiment(experiments);
    await runningExperiment(experiments, { key: 'other' }, tenant);
    await run(tenant, (tx) => assign(tx, { key: 'other', unit: 'foreign' }));
    const first = await run(tenant, (tx) => assignUnits(tx, { key, units: manyUnits(30).map((unit) => ({ unit })) }));
    await run(tenant, (tx) => setAllocation(tx, { key, weights: { long: 0, short: 1 } }));
    await run(tenant, (tx) => assignUnits(tx, { key, units: manyUnits(40).map((unit) => ({ unit })) }));
    await run(tenant, (tx) => forceAssignment(tx, { key, unit: 'mine', variantKey: 'long' }));

    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await run(tenant, (tx) => listAssignments(tx, { key, limit: 15, ...(cursor && { cursor }) }));
      seen.push(...page.items.map(({ unit }) => unit));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    expect(seen.toSorted()).toEqual([...manyUnits(40), 'mine'].toSorted());
    const list = async (filter: string) =>
      (await run(tenant, (tx) => listAssignments(tx, { experimentId: definition.id, filter }))).items;
    expect(await list('forced = true')).toMatchObject([
      { unit: 'mine', reason: 'forced', variantKey: 'long', epoch: 2 },
    ]);
    expect(await list("variant_key = 'short' and epoch = 2")).toHaveLength(10);
    expect(await list("unit = 'foreign'")).toEqual([]);

    const of = (variantKey: string) => first.filter((one) => one.variantKey === variantKey).length;
    expect(await run(tenant, (tx) => countAssignments(tx, { key }))).toEqual([
      { variantId: definition.variants[0]?.id, variantKey: 'long', epoch: 1, units: of('long'), forcedUnits: 0 },
      { variantId: definition.variants[0]?.id, variantKey: 'long', epoch: 2, units: 0, forcedUnits: 1 },
      { variantId: definition.variants[1]?.id, variantKey: 'short', epoch: 1, units: of('short'), forcedUnits: 0 },
      { variantId: definition.variants[1]?.id, variantKey: 'short', epoch: 2, units: 10, forcedUnits: 0 },
    ]);
    expect(await run(tenant, (tx) => countAssignments(tx, { key: 'other' }))).toMatchObject([{ units: 1 }]);
    expect(await failureOf(run(tenant, (tx) => countAssignments(tx, { key: 'nobody' })))).toMatchObject({
      code: 'not_found',
    });
  });
});
