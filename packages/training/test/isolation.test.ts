import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import {
  callFunction,
  callInTenant,
  enteringFunctions,
  functionNames,
  inputsIn,
  makeWorld,
  nobodys,
  type World,
  withoutTenant,
} from './support/every-function.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const names = [...functionNames, ...enteringFunctions];

const contentOf = (tenant: string) =>
  training.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's ids", () => {
  let owner: string;
  let world: World;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await training.run(owner, makeWorld);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, ids: World) =>
    await outcomeOf(callInTenant(training.db, tenant, name, inputsIn(ids)[name]));

  it.each(names.filter((name) => name !== 'createStudy'))('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      await training
        .run(owner, async (tx) => {
          outcome = await outcomeOf(tx.transaction((inner) => callFunction(inner, name, inputsIn(world)[name])));
          throw undo;
        })
        .catch(() => {});
      const asNobody = await call(freshTenant(), name, nobodys);
      if (JSON.stringify(outcome) === JSON.stringify(asNobody)) same.push(name);
    }
    expect(same).toEqual([]);
  });

  it('is not given what is due or queued of A', async () => {
    const later = { now: new Date('2100-01-01T00:00:00Z') };
    const tenant = freshTenant();
    expect(await training.run(tenant, (tx) => exported.sweepStaleRuns(tx), later)).toEqual([]);
    expect(await training.run(tenant, (tx) => exported.claimRun(tx, { leaseMs: 1_000 }))).toBeUndefined();
    expect(await contentOf(owner)).toEqual(before);
  });

  it('creates under names of A without meeting them', async () => {
    await training.run(freshTenant(), async (tx) => {
      await exported.createRun(tx, { name: 'r', group: 'g' });
      await exported.createStudy(tx, { name: 's', searchSpace: { x: { type: 'float', low: 0, high: 1 } } });
      await exported.createStudy(tx, { name: 'deleted', searchSpace: { x: { type: 'float', low: 0, high: 1 } } });
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it("makes a run of its own with A's idempotency key", async () => {
    const create = { name: 'r', idempotencyKey: 'once' };
    const first = await training.run(owner, (tx) => exported.createRun(tx, create));
    const second = await training.run(freshTenant(), (tx) => exported.createRun(tx, { ...create, seed: 7 }));
    expect(second.id).not.toBe(first.id);
    before = await contentOf(owner);
  });

  it("cannot use A's cursor", async () => {
    const input = { runId: world.runId, limit: 1 };
    const { nextCursor } = await training.run(owner, (tx) => exported.listRunEvents(tx, input));
    const outcome = await outcomeOf(
      training.run(freshTenant(), (tx) => exported.listRunEvents(tx, { ...input, cursor: nextCursor ?? '' })),
    );
    expect(outcome).toMatchObject({ code: 'invalid_input' });
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...names, ...withoutTenant].sort()).toEqual(functions.sort());
    expect(Object.keys(inputsIn(world)).sort()).toEqual([...names].sort());
  });
});
