import { float8Array, textArray } from '@mcp-hub/db-core';
import { type HashVersion, hashUnit } from '@mcp-hub/stats';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

/** Numbers of [0, 1), the same each time (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Of each of the ranges about as many: ASCII, two and three bytes of UTF-8, two UTF-16 code units. */
const alphabets = [
  [0x20, 0x7e],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10ffff],
] as const;

function randomText(random: () => number, maxLength: number): string {
  const alphabet = Math.floor(random() * (alphabets.length + 1));
  const characters = Array.from({ length: Math.floor(random() * (maxLength + 1)) }, () => {
    const [first, last] = alphabets[alphabet] ?? alphabets[Math.floor(random() * alphabets.length)] ?? alphabets[0];
    return String.fromCodePoint(first + Math.floor(random() * (last - first + 1)));
  });
  return characters.join('');
}

describe('app_ab_hash', () => {
  it('is hashUnit, on 100,000 random texts', async () => {
    const random = randomNumbers(20_260_504);
    const given = Array.from({ length: 100_000 }, (_, n) => ({
      seed: randomText(random, 12),
      unit: randomText(random, 24),
      version: ((n % 2) + 1) as HashVersion,
    }));
    const tenant = freshTenant();
    for (let from = 0; from < given.length; from += 20_000) {
      const batch = given.slice(from, from + 20_000);
      const places = batch.map(hashUnit);
      const wrong = await experiments.run(tenant, (tx) =>
        tx.execute(sql`
          select seed, unit, version
            from unnest(${textArray(batch.map(({ seed }) => seed))}, ${textArray(batch.map(({ unit }) => unit))},
                        ${float8Array(batch.map(({ version }) => version))}, ${float8Array(places)}) g (seed, unit, version, place)
           where app_ab_hash(seed, unit, version::int) is distinct from place
           limit 3`),
      );
      expect([...wrong]).toEqual([]);
    }
  }, 120_000);

  it('refuses another version, and says nothing of NULL', async () => {
    const of = (version: number | null) =>
      experiments.run(freshTenant(), (tx) =>
        tx.execute<{ place: number | null }>(sql`select app_ab_hash('s', 'u', ${version}::int) as place`),
      );
    expect(await failureOf(of(3))).toMatchObject({ code: 'invalid_input' });
    expect([...(await of(null))]).toEqual([{ place: null }]);
  });

  it('may be run by parallel workers and stand in an index', async () => {
    const [functions] = await experiments.run(freshTenant(), (tx) =>
      tx.execute<{ all: boolean }>(sql`
        select bool_and(provolatile = 'i' and proparallel = 's' and proisstrict) as all from pg_proc where proname like 'app_ab_%'`),
    );
    expect(functions?.all).toBe(true);
  });
});
