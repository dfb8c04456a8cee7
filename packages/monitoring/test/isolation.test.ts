import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { at, callFunction, functionNames, inputsIn, makeWorld, nobodys, type World } from './support/every-function.ts';
import { useMonitoring } from './support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: at, actor: 'ada' };

const contentOf = (tenant: string) =>
  monitoring.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's ids", () => {
  let owner: string;
  let world: World;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    world = await monitoring.run(owner, makeWorld, options);
    before = await contentOf(owner);
  });

  const call = async (tenant: string, name: string, ids: World) =>
    await outcomeOf(monitoring.run(tenant, (tx) => callFunction(tx, name, inputsIn(ids)[name]), options));

  it.each(functionNames)('%s cannot tell them from what nobody has', async (name) => {
    expect(await call(freshTenant(), name, world)).toEqual(await call(freshTenant(), name, nobodys));
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const name of functionNames) {
      const undo = new Error('undo');
      let outcome: unknown;
      const asOwner = monitoring.run(
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
    expect(same).toEqual([]);
  });

  it('has a world of its own under the names of A', async () => {
    const other = freshTenant();
    await monitoring.run(other, makeWorld, options);
    expect(await contentOf(owner)).toEqual(before);
  });
});
