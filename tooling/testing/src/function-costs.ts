import { afterAll, beforeAll, expect } from 'vitest';
import { countFlights, type FlightCounter } from './count-flights.ts';
import { freshTenant } from './fresh-tenant.ts';
import { useTestDatabase } from './test-database.ts';

/** What a call costs: round trips, and the rows that it holds, by the words that the README has for them. */
export interface FunctionCost {
  readonly trips: number;
  readonly locks: readonly string[];
}

/** By function: what the column "Lock, round trips" of the README's tables says. */
export type PromisedCosts = ReadonlyMap<
  string,
  { readonly trips: readonly number[]; readonly locks: readonly string[] }
>;

/** Reads the rows whose third cell begins with one of the words, or with "no". */
export function promisedCosts(readme: string, words: readonly string[]): PromisedCosts {
  const begins = new RegExp(`^\\s*(?:no|${words.join('|')})\\b`);
  return new Map(
    readme.split('\n').flatMap((line) => {
      const [, names, , cost] = line.split('|');
      if (names === undefined || cost === undefined || !begins.test(cost)) return [];
      const locks = /^\s*no\b/.test(cost) ? [] : words.filter((word) => cost.includes(word));
      const trips = (cost.match(/\d+/g) ?? []).map(Number);
      return (names.match(/(?<=`)\w+(?=`)/g) ?? []).map((name) => [name, { locks, trips }] as const);
    }),
  );
}

/** As much of db-core as a measurement needs: no tool imports a package of the domain. */
export interface Costed<Db, Tx> {
  readonly connect: (options: { readonly url: string; readonly max: number }) => Promise<Db>;
  /** withTenant of db-core, with the options that the calls want. */
  readonly enter: (db: Db, tenant: string, work: (tx: Tx) => Promise<void>) => Promise<void>;
  /** The tables whose rows a function may hold, by the word for it. */
  readonly lockable: Readonly<Record<string, readonly string[]>>;
}

export interface FunctionCosts<Db, Tx> {
  /** For other tests of the file: not by way of the counter. */
  readonly db: Db;
  /** What `call` costs in a tenant of its own, with the world that `makeWorld` makes there. Nothing of the call stays. */
  costOf<World>(
    makeWorld: (tx: Tx) => Promise<World>,
    call: (tx: Tx, world: World) => Promise<unknown>,
  ): Promise<FunctionCost>;
}

/** Measures the functions of a package in a database of the test file. */
export function useFunctionCosts<
  Db extends { close(): Promise<void> },
  Tx extends { execute(query: string): PromiseLike<readonly unknown[]> },
>({ connect, enter, lockable }: Costed<Db, Tx>): FunctionCosts<Db, Tx> {
  const database = useTestDatabase();
  let opened: { readonly counter: FlightCounter; readonly db: Db; readonly other: Db } | undefined;
  beforeAll(async () => {
    const counter = await countFlights(database.serviceUrl);
    const [db, other] = [
      await connect({ url: counter.url, max: 1 }),
      await connect({ url: database.serviceUrl, max: 10 }),
    ];
    opened = { counter, db, other };
  });
  afterAll(async () => {
    await Promise.all([opened?.db.close(), opened?.other.close()]);
    await opened?.counter.close();
  });
  const parts = () => {
    if (opened === undefined) throw new Error('The database is there inside tests and hooks only.');
    return opened;
  };
  return {
    get db() {
      return parts().other;
    },
    costOf: async (makeWorld, call) => {
      const { counter, db, other } = parts();
      const tenant = freshTenant();
      const worlds: Awaited<ReturnType<typeof makeWorld>>[] = [];
      await enter(db, tenant, async (tx) => void worlds.push(await makeWorld(tx)));
      const undone = async (work: (tx: Tx, world: (typeof worlds)[number]) => Promise<unknown>) => {
        const undo = new Error('undo');
        const run = enter(db, tenant, async (tx) => {
          for (const world of worlds) await work(tx, world);
          throw undo;
        });
        await run.catch((error: unknown) => expect(error).toBe(undo));
      };
      // Once before, so that its statements are known to the connection.
      await undone(call);
      let cost: FunctionCost = { trips: 0, locks: [] };
      await undone(async (tx, world) => {
        await tx.execute('select 1');
        const before = counter.flights();
        await call(tx, world);
        const trips = counter.flights() - before;
        const locks = new Set<string>();
        await enter(other, tenant, async (looking) => {
          for (const [word, tables] of Object.entries(lockable)) {
            for (const table of tables) if (await holdsRows(looking, table)) locks.add(word);
          }
        });
        cost = { trips, locks: [...locks] };
      });
      return cost;
    },
  };
}

/** Whether another transaction would wait for a row; one that is shared with a foreign key's check is none of them. */
async function holdsRows(
  tx: { execute(query: string): PromiseLike<readonly unknown[]> },
  table: string,
): Promise<boolean> {
  const rows = await tx.execute(`
    with free as materialized (select tenant_id from ${table} for no key update skip locked)
    select 1 where (select count(*) from free) < (select count(*) from ${table})`);
  return rows.length > 0;
}
