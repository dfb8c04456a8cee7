import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import {
  at,
  callFunction,
  functionNames,
  inputsIn,
  makeWorld,
  nobodys,
  type World,
  withoutTransaction,
} from './support/every-function.ts';
import { checkout } from './support/experiment-inputs.ts';
import { useExperiments } from './support/use-experiments.ts';

const experiments = useExperiments();
const options = { now: at, actor: 'ada' };

/** Without the ids and keys that a call gave or made: two calls that are the same make two ids, of two names. */
const withoutNames = (outcome: unknown, { key, layerKey, holdoutKey, runningKey }: World): unknown => {
  const names = [key, layerKey, holdoutKey, runningKey].map((name) => `"${name}"|"holdout:${name}"`);
  return JSON.stringify(outcome)
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
    .replaceAll(new RegExp(names.join('|'), 'g'), '"name"');
};

const contentOf = (tenant: string) =>
  experiments.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's ids and names", () => {
  let owner: string;
  let world: World;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await experiments.run(owner, makeWorld, options);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, names: World) => {
    const work = experiments.run(tenant, (tx) => callFunction(tx, name, inputsIn(names)[name]), options);
    return withoutNames(await outcomeOf(work), names);
  };

  it.each(functionNames)('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      const asOwner = experiments.run(
        owner,
        async (tx) => {
          outcome = await outcomeOf(tx.transaction((inner) => callFunction(inner, name, inputsIn(world)[name])));
          throw undo;
        },
        options,
      );
      await asOwner.catch((error: unknown) => expect(error).toBe(undo));
      if (withoutNames(outcome, world) === (await call(freshTenant(), name, nobodys))) same.push(name);
    }
    expect(same).toEqual([]);
  });

  it("cannot put A's version, layer or holdout into an experiment of its own", async () => {
    const tenant = freshTenant();
    const draft = (change: Partial<exported.CreateExperimentInput>) =>
      outcomeOf(experiments.run(tenant, (tx) => exported.createExperiment(tx, { ...checkout, ...change }), options));
    const changes = ({
      versionId,
      layerKey,
      holdoutKey,
    }: World): readonly Partial<exported.CreateExperimentInput>[] => [
      { variants: [{ key: 'a' }, { key: 'b', modelVersionId: versionId }] },
      { layer: { key: layerKey, start: 0, end: 1 } },
      { holdouts: [holdoutKey] },
    ];
    const nobodysChanges = changes(nobodys);
    for (const [n, change] of changes(world).entries()) {
      const outcome = await draft(change);
      expect(outcome).toMatchObject({ code: 'not_found' });
      expect(outcome).toEqual(await draft(nobodysChanges[n] ?? {}));
    }
  });

  it('takes ranges of its own layer whatever A has of one that is called the same', async () => {
    const start = (tx: Parameters<typeof makeWorld>[0]) =>
      exported.transitionExperiment(tx, { key: world.key, status: 'running' });
    const [one, other] = [freshTenant(), freshTenant()];
    for (const tenant of [one, other]) await experiments.run(tenant, makeWorld, options);
    const moved = await Promise.all([one, other].map((tenant) => experiments.run(tenant, start, options)));
    expect(moved.map(({ status }) => status)).toEqual(['running', 'running']);
  });

  it("cannot use A's cursor", async () => {
    const cursor = await experiments.run(owner, async (tx) => {
      await exported.createLayer(tx, { key: 'another' });
      return (await exported.listLayers(tx, { limit: 1 })).nextCursor ?? '';
    });
    const used = experiments.run(freshTenant(), (tx) => exported.listLayers(tx, { limit: 1, cursor }));
    expect(await outcomeOf(used)).toMatchObject({ code: 'invalid_input' });
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...functionNames, ...withoutTransaction].sort()).toEqual(functions.sort());
    expect(Object.keys(inputsIn(world)).sort()).toEqual(functionNames);
  });
});
