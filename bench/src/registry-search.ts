import { type Database, readOne, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SearchVersionsInput, searchVersions } from '@mcp-hub/registry';
import { type SQL, sql } from 'drizzle-orm';
import { measure } from './measure.ts';
import { registryShape } from './registry-data.ts';
import { printTable } from './report.ts';

const { tenant } = registryShape;
const limit = 50;

interface Search {
  readonly name: string;
  readonly input: SearchVersionsInput;
  /** What one would write by hand; `after` is the last row of the page before. */
  readonly byHand: (tx: TenantTx, after: Last | undefined) => SQL;
}

interface Last {
  readonly name: string;
  readonly id: string;
  readonly createdAt: Date;
}

const searches: readonly Search[] = [
  {
    name: 'all, the newest first',
    input: {},
    byHand: (tx, after) => versionPage(tx, newestAfter(after), sql`created_at desc, id desc`),
  },
  {
    name: 'all, by name',
    input: { orderBy: 'name' },
    byHand: (tx, after) =>
      versionPage(
        tx,
        after === undefined ? sql`true` : sql`(name, id) > (${after.name}, ${after.id}::uuid)`,
        sql`name, id`,
      ),
  },
  {
    name: 'by stage, the newest first',
    input: { filter: "stage = 'development'" },
    byHand: (tx, after) =>
      versionPage(tx, sql`stage = 'development' and ${newestAfter(after)}`, sql`created_at desc, id desc`),
  },
  {
    name: 'by tag, the newest first',
    input: { filter: "tags.team = 'team 7'" },
    byHand: (tx, after) =>
      versionPage(
        tx,
        sql`exists (select from model_tags t
                     where t.tenant_id = ${tenantOf(tx)} and t.version_id = v.id
                       and t.key = 'team' and t.value = 'team 7') and ${newestAfter(after)}`,
        sql`created_at desc, id desc`,
      ),
  },
];

/** Page 1 and page 100 of searches, beside hand-written SQL in the same transaction form. */
export async function benchSearch(db: Database): Promise<void> {
  for (const { name, input, byHand } of searches) {
    const far = await lastOfPage(db, input, 99);
    const first = { ...input, limit };
    const hundredth = { ...first, cursor: far.cursor };
    const measured = await measure(
      [
        {
          name: 'page 1, by hand (reference)',
          run: () => readOne(db, tenant, (tx) => tx.execute(byHand(tx, undefined))),
        },
        { name: 'page 1', aim: '1.3', run: () => readOne(db, tenant, (tx) => searchVersions(tx, first)) },
        { name: 'page 100, by hand', run: () => readOne(db, tenant, (tx) => tx.execute(byHand(tx, far.last))) },
        { name: 'page 100', run: () => readOne(db, tenant, (tx) => searchVersions(tx, hundredth)) },
      ],
      { rounds: 200, warmUp: 20 },
    );
    const [, one, handHundred, hundred] = measured.map(({ medianMs }) => medianMs);
    printTable(
      `Search: ${name}; pages of ${limit}`,
      measured.map((row, index) => ({
        read: row.name,
        'median ms': row.medianMs,
        'p95 ms': row.p95Ms,
        'beside by hand': index < 2 ? row.ratio : row.medianMs / (handHundred ?? Number.NaN),
        aim: index % 2 === 1 ? '1.3' : '',
        'beside page 1': index === 3 ? (hundred ?? Number.NaN) / (one ?? Number.NaN) : '',
        'its aim': index === 3 ? '1.2' : '',
      })),
    );
  }
}

async function lastOfPage(
  db: Database,
  input: SearchVersionsInput,
  pages: number,
): Promise<{ readonly cursor: string; readonly last: Last }> {
  let cursor: string | undefined;
  let last: Last | undefined;
  for (let number = 1; number <= pages; number += 1) {
    const page = await readOne(db, tenant, (tx) => searchVersions(tx, { ...input, limit, cursor }));
    cursor = page.nextCursor;
    last = page.items.at(-1);
  }
  if (cursor === undefined || last === undefined) throw new Error('The search has too few pages.');
  return { cursor, last };
}

const newestAfter = (after: Last | undefined) =>
  after === undefined
    ? sql`true`
    : sql`(created_at, id) < (${after.createdAt.toISOString()}::timestamptz, ${after.id}::uuid)`;

/** The page first, and only for its rows their tags and aliases. */
const versionPage = (tx: TenantTx, where: SQL, order: SQL) => sql`
  select v.*,
         (select json_object_agg(t.key, t.value) from model_tags t
           where t.tenant_id = ${tenantOf(tx)} and t.subject_id = v.id) as tags,
         (select json_agg(a.alias) from model_aliases a
           where a.tenant_id = ${tenantOf(tx)} and a.name = v.name and a.version = v.version) as aliases
    from (select * from model_registry v
           where v.tenant_id = ${tenantOf(tx)} and v.deleted_at is null and ${where}
           order by ${order} limit ${limit + 1}) v`;
