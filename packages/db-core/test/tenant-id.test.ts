import { useTestDatabase } from '@mcp-hub/testing';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isDomainError, TENANT_ID_MAX_LENGTH, toTenantId } from '../src/index.ts';

const database = useTestDatabase();
let sql: Sql;
beforeAll(() => {
  sql = postgres(database.serviceUrl, { max: 1, fetch_types: false });
});
afterAll(() => sql.end());

function domainTakes(id: string): boolean {
  try {
    return toTenantId(id) === id;
  } catch (error) {
    if (isDomainError(error, 'invalid_input')) return false;
    throw error;
  }
}

/** 22023 is what app_set_tenant raises; text cannot hold U+0000 in PostgreSQL, and the server says so (22021). */
async function databaseTakes(id: string): Promise<boolean> {
  try {
    return await sql.begin(async (tx) => {
      await tx`select app_set_tenant(${id})`;
      const [row] = await tx<{ tenant: string }[]>`select current_setting('app.tenant') as tenant`;
      return row?.tenant === id;
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === '22023' || error.code === '22021')) return false;
    throw error;
  }
}

const smile = '\u{1f600}';
const edge = [
  [0x20],
  [0xa0],
  [0x1680],
  ...Array.from({ length: 11 }, (_, n) => [0x2000 + n]),
  [0x202f],
  [0x205f],
  [0x3000],
  [0xfeff],
].map(([point = 0]) => String.fromCodePoint(point));
const refusedEverywhere = [
  ...Array.from({ length: 0x20 }, (_, point) => point),
  ...Array.from({ length: 0x21 }, (_, n) => 0x7f + n),
  0x2028,
  0x2029,
  0xfffd,
].map((point) => String.fromCodePoint(point));

const taken: readonly (readonly [why: string, id: string])[] = [
  ['one character', 'a'],
  ['a space inside', 'Team Blue'],
  ['quotes and backslashes', `o'neil "x" \\ %L $$`],
  ['a percent and an underscore', '%_'],
  ['accents and other scripts', 'über 東京 שלום'],
  ['another Unicode form', 'u\u0308ber'],
  ['a zero-width joiner', `${smile}\u200d${smile}`],
  ['U+200B at the ends, which is no white space', '\u200bx\u200b'],
  ['U+0085 neighbours', 'a~\u00a1'],
  ['128 ASCII characters', 'a'.repeat(128)],
  ['128 emoji, which are 256 units of UTF-16', smile.repeat(128)],
  ['a noncharacter', 'a\u{10ffff}'],
  ...edge.map((space) => [`${name(space)} inside`, `a${space}b`] as const),
];
const refused: readonly (readonly [why: string, id: string])[] = [
  ['nothing', ''],
  ['129 ASCII characters', 'a'.repeat(129)],
  ['129 emoji', smile.repeat(129)],
  ['128 emoji and a letter', `${smile.repeat(128)}a`],
  ['an unpaired high surrogate', 'a\ud83d'],
  ['an unpaired low surrogate', '\ude00a'],
  ['surrogates the wrong way round', 'a\ude00\ud83db'],
  ['only a space', ' '],
  ...edge.flatMap((space) => [
    [`${name(space)} in front`, `${space}x`] as const,
    [`${name(space)} behind`, `x${space}`] as const,
    [`${name(space)} behind the last of 128`, `${'x'.repeat(127)}${space}`] as const,
  ]),
  ...refusedEverywhere.map((character) => [`${name(character)} inside`, `a${character}b`] as const),
  ...refusedEverywhere.map((character) => [`${name(character)} at the end`, `a${character}`] as const),
];

function name(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

describe('toTenantId and app_set_tenant', () => {
  it.each([
    ['take', taken, true],
    ['refuse', refused, false],
  ] as const)('%s the same ids', async (_verb, ids, expected) => {
    const differ: string[] = [];
    for (const [why, id] of ids) {
      const answers = { domain: domainTakes(id), database: await databaseTakes(id) };
      if (answers.domain !== expected || answers.database !== expected)
        differ.push(`${why}: ${JSON.stringify(answers)}`);
    }
    expect(differ).toEqual([]);
  });

  it('agree on every character of the basic plane, alone, inside and at the ends', async () => {
    // In one statement: a round trip for each would be 200,000.
    await sql.unsafe(`
      create function pg_temp.takes(id text) returns boolean language plpgsql as $$
      begin
        perform app_set_tenant(id);
        reset role;
        return true;
      exception when invalid_parameter_value then return false;
      end $$`);
    const rows = await sql.begin(
      (tx) => tx<{ point: number; inside: boolean; front: boolean; behind: boolean }[]>`
        select p as point, pg_temp.takes('a' || chr(p) || 'b') as inside, pg_temp.takes(chr(p) || 'a') as front,
               pg_temp.takes('a' || chr(p)) as behind
          from generate_series(1, 65535) p
         where p not between 55296 and 57343`,
    );
    expect(rows.length).toBeGreaterThan(60_000);
    const differ = rows.filter(({ point, inside, front, behind }) => {
      const character = String.fromCodePoint(point);
      return (
        domainTakes(`a${character}b`) !== inside ||
        domainTakes(`${character}a`) !== front ||
        domainTakes(`a${character}`) !== behind
      );
    });
    expect(differ.map(({ point }) => point.toString(16))).toEqual([]);
  });

  it('do not say what was refused', async () => {
    for (const id of ['secret\u0007', `secret${'s'.repeat(200)}`]) {
      expect(() => toTenantId(id)).toThrow(expect.not.stringContaining('secret'));
      await expect(sql`select app_set_tenant(${id})`).rejects.toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      );
    }
    expect(TENANT_ID_MAX_LENGTH).toBe(128);
  });
});
