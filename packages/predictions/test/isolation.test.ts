import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
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
  nobodysIn,
  type World,
  withoutTransaction,
} from './support/every-function.ts';
import { usePredictions } from './support/use-predictions.ts';

const predictions = usePredictions();
const options = { now: at, actor: 'ada' };

const contentOf = (tenant: string) =>
  predictions.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's ids and names", () => {
  let owner: string;
  let world: World;
  let nobodys: World;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await predictions.run(owner, makeWorld, options);
    nobodys = nobodysIn(world);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, ids: World) =>
    await outcomeOf(predictions.run(tenant, (tx) => callFunction(tx, name, inputsIn(ids)[name]), options));

  it.each(functionNames)('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      const asOwner = predictions.run(
        owner,
        async (tx) => {
          outcome = await outcomeOf(tx.transaction((inner) => callFunction(inner, name, inputsIn(world)[name])));
          throw undo;
        },
        options,
      );
      await asOwner.catch((error: unknown) => expect(error).toBe(undo));
      if (JSON.stringify(outcome) === JSON.stringify(await call(freshTenant(), name, nobodys))) same.push(name);
    }
    // These name nothing, or there is nothing for them: no dead letters, no workers that were lost.
    expect(same).toEqual(['getBatchLimit', 'listDeadLetters', 'setBatchLimit', 'sweepBatchJob']);
  });

  it('has a world of its own under the names and ids of A: the same id is a row of each', async () => {
    const other = freshTenant();
    const own = await predictions.run(other, makeWorld, options);
    expect(own.predictionId).toBe(world.predictionId);
    const scoreOf = (tenant: string) =>
      predictions.run(tenant, (tx) => exported.getPrediction(tx, { id: world.predictionId }));
    const versions = await Promise.all([owner, other].map(async (tenant) => (await scoreOf(tenant)).versionId));
    expect(versions).toEqual([world.versionId, own.versionId]);
    expect(await contentOf(owner)).toEqual(before);
  });

  it("cannot name A's prediction beside its own model, or A's version beside its own subject", async () => {
    const tenant = freshTenant();
    await predictions.run(tenant, (tx) => registerVersion(tx, { name: world.model }), options);
    const mixed = async (more: Partial<World>, name: string) =>
      await outcomeOf(
        predictions.run(tenant, (tx) => callFunction(tx, name, inputsIn({ ...nobodys, ...more })[name]), options),
      );
    expect(await mixed({ model: 'm', predictionId: world.predictionId }, 'recordLabels')).toEqual(
      await mixed({ model: 'm' }, 'recordLabels'),
    );
    expect(await mixed({ model: 'm', versionId: world.versionId }, 'recordPredictions')).toMatchObject({
      code: 'not_found',
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it("cannot use A's cursor", async () => {
    const { nextCursor = '' } = await predictions.run(owner, (tx) => exported.listPredictions(tx, { limit: 1 }));
    const used = (tx: TenantTx) => exported.listPredictions(tx, { limit: 1, cursor: nextCursor });
    expect(await outcomeOf(predictions.run(freshTenant(), used))).toMatchObject({ code: 'invalid_input' });
  });

  it('prunes its own alone', async () => {
    const all = { predictionsBefore: new Date('2090-01-01Z'), labelsBefore: new Date('2090-01-01Z') };
    const ids = { versionId: world.versionId, modelId: world.modelId };
    for (const scope of [{}, ids]) {
      expect(await exported.prunePredictions(predictions.db, freshTenant(), { ...all, ...scope })).toEqual({
        ...{ predictions: 0, labels: 0, replacedLabels: 0, ledgers: 0, models: 0 },
      });
    }
    expect(await contentOf(owner)).toEqual(before);
  });

  it('no partition is reached but through its table', async () => {
    const partitions = await predictions.run(owner, (tx) =>
      tx.execute<{ name: string }>(
        sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'predictions'::regclass`,
      ),
    );
    expect(partitions.map(({ name }) => name)).toContain('predictions_default');
    for (const { name } of partitions) {
      const partition = sql.identifier(name);
      for (const statement of [
        sql`select 1 from ${partition}`,
        sql`insert into ${partition} (model_version_id, subject) values (gen_random_uuid(), 's')`,
        sql`update ${partition} set score = 2`,
        sql`delete from ${partition}`,
      ]) {
        const outcome = await outcomeOf(predictions.run(owner, (tx) => tx.execute(statement)));
        expect(outcome).toMatchObject({ code: 'permission_denied' });
      }
    }
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    expect([...functionNames, ...withoutTransaction].sort()).toEqual(functions.sort());
    expect(Object.keys(inputsIn(world)).sort()).toEqual(functionNames);
  });
});
