import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import {
  callFunction,
  functionNames,
  inputsIn,
  makeWorld,
  nobodys,
  type World,
  withoutTenant,
} from './support/every-function.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const byActor = { actor: 'ada' };

const contentOf = (tenant: string) =>
  evaluation.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's ids and names", () => {
  let owner: string;
  let world: World;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await evaluation.run(owner, makeWorld, byActor);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, ids: World) =>
    await outcomeOf(evaluation.run(tenant, (tx) => callFunction(tx, name, inputsIn(ids)[name]), byActor));

  it.each(functionNames)('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      const asOwner = evaluation.run(
        owner,
        async (tx) => {
          outcome = await outcomeOf(tx.transaction((inner) => callFunction(inner, name, inputsIn(world)[name])));
          throw undo;
        },
        byActor,
      );
      await asOwner.catch((error: unknown) => expect(error).toBe(undo));
      if (JSON.stringify(outcome) === JSON.stringify(await call(freshTenant(), name, nobodys))) same.push(name);
    }
    expect(same).toEqual([]);
  });

  it('has families, gates and keys of its own under the names of A', async () => {
    await evaluation.run(freshTenant(), makeWorld, byActor);
    expect(await contentOf(owner)).toEqual(before);
  });

  it("cannot name A's run or version beside its own", async () => {
    const tenant = freshTenant();
    const own = await evaluation.run(tenant, makeWorld, byActor);
    const mixed = async (more: Partial<World>) => await call(tenant, 'evaluateRegression', { ...own, ...more });
    expect(await mixed({ runId: world.runId })).toEqual(await mixed({ runId: nobodys.runId }));
    expect(await call(tenant, 'compareVersions', { ...own, baselineId: world.baselineId })).toMatchObject({
      code: 'not_found',
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it("cannot use A's cursor", async () => {
    const input = { evaluationId: world.evaluationId, limit: 1 };
    const { nextCursor } = await evaluation.run(owner, (tx) => exported.listEvaluationMetrics(tx, input));
    const used = { ...input, cursor: nextCursor ?? '' };
    const outcome = await outcomeOf(evaluation.run(freshTenant(), (tx) => exported.listEvaluationMetrics(tx, used)));
    expect(outcome).toMatchObject({ code: 'invalid_input' });
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...functionNames, ...withoutTenant].sort()).toEqual(functions.sort());
    expect(Object.keys(inputsIn(world)).sort()).toEqual(functionNames);
  });
});
