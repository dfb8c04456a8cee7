import type { DomainError } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { at, callFunction, functionNames, inputsIn, makeWorld, nobodys, type World } from './support/every-function.ts';
import { useMonitoring } from './support/use-monitoring.ts';

const monitoring = useMonitoring();
const options = { now: at, actor: 'ada' };

/** A result or an error, as the caller sees it. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await work };
  } catch (error) {
    const { name, code, message, details } = error as DomainError;
    return { name, code, message, details };
  }
}

async function contentOf(tenant: string): Promise<readonly unknown[]> {
  return await monitoring.run(tenant, async (tx) => {
    const tables = await tx.execute<{ name: string }>(sql`
      select relname as name from pg_class
       where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and has_table_privilege(oid, 'select')
       order by relname`);
    const content: unknown[] = [];
    for (const { name } of tables) {
      const rows = await tx.execute<{ row: string }>(
        sql`select t::text as row from ${sql.identifier(name)} t order by t::text`,
      );
      content.push(name, [...rows]);
    }
    return content;
  });
}

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
