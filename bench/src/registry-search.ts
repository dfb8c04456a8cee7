import { type Database, type Page, type PageInput, readOne, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SearchVersionsInput, searchModels, searchVersions } from '@mcp-hub/registry';
import { type SQL, sql } from 'drizzle-orm';
import { measure } from './measure.ts';
import { registryShape } from './registry-data.ts';
import { printTable } from './report.ts';

const { tenant } = registryShape;
/** A hundred pages must fit into the thousand models. */
const limits = { versions: 50, models: 10 } as const;

interface Search {
  readonly name: string;
  readonly limit: number;
  readonly search: (tx: TenantTx, page: PageInput) => Promise<Page<Found>>;
  /** What one would write by hand; `after` is the last row of the page before. */
  readonly byHand: (tx: TenantTx, after: Last | undefined) => SQL;
}

interface Found {
  readonly name: string;
  readonly id: string | null;
  readonly createdAt: Date;
}

interface Last extends Found {
  readonly id: string;
}

const versions = (input: SearchVersionsInput) => ({
  limit: limits.versions,
  search: (tx: TenantTx, page: PageInput): Promise<Page<Found>> => searchVersions(tx, { ...input, ...page }),
});

const searches: readonly Search[] = [
  {
    name: 'all, the newest first',
    ...versions({}),
    byHand: (tx, after) => versionPage(tx, newestAfter(after), sql`created_at desc, id desc`),
  },
  {
    name: 'all, by name',
    ...versions({ orderBy: 'name' }),
    byHand: (tx, after) =>
      versionPage(
        tx,
        after === undefined ? sql`true` : sql`(name, id) > (${after.name}, ${after.id}::uuid)`,
        sql`name, id`,
      ),
  },
  {
    name: 'by stage, the newest first',
    ...versions({ filter: "stage = 'development'" }),
    byHand: (tx, after) =>
      versionPage(tx, sql`stage = 'development' and ${newestAfter(after)}`, sql`created_at desc, id desc`),
  },
  {
    name: 'by tag, the newest first',
    ...versions({ filter: "tags.team = 'team 7'" }),
    byHand: (tx, after) =>
      versionPage(
        tx,
        sql`exists (select from model_tags t
                     where t.tenant_id = ${tenantOf(tx)} and t.version_id = v.id
                       and t.key = 'team' and t.value_start = 'team 7') and ${newestAfter(after)}`,
        sql`created_at desc, id desc`,
      ),
  },
  {
    name: 'models, by name',
    limit: limits.models,
    search: (tx, page) => searchModels(tx, page),
    byHand: (tx, after) => modelPage(tx, after === undefined ? sql`true` : sql`name > ${after.name}`),
  },
];

/** Page 1 and page 100 of searches, beside hand-written SQL in the same transaction form. */
export async function benchSearch(db: Database): Promise<void> {
  for (const { name, limit, search, byHand } of searches) {
    const far = await lastOfPage(db, search, limit, 99);
    const hand = (after: Last | undefined) =>
      readOne(db, tenant, async (tx) => (await tx.execute<HandRow>(byHand(tx, after))).map(withTimes));
    const measured = await measure(
      [
        { name: 'page 1, by hand (reference)', run: () => hand(undefined) },
        { name: 'page 1', run: () => readOne(db, tenant, (tx) => search(tx, { limit })) },
        { name: 'page 100, by hand', run: () => hand(far.last) },
        { name: 'page 100', run: () => readOne(db, tenant, (tx) => search(tx, { limit, cursor: far.cursor })) },
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
  search: Search['search'],
  limit: number,
  pages: number,
): Promise<{ readonly cursor: string; readonly last: Last }> {
  let cursor: string | undefined;
  let last: Found | undefined;
  for (let number = 1; number <= pages; number += 1) {
    const page = await readOne(db, tenant, (tx) => search(tx, { limit, cursor }));
    cursor = page.nextCursor;
    last = page.items.at(-1);
  }
  if (cursor === undefined || last === undefined) throw new Error('The search has too few pages.');
  return { cursor, last: { ...last, id: last.id ?? '' } };
}

const newestAfter = (after: Last | undefined) =>
  after === undefined
    ? sql`true`
    : sql`(created_at, id) < (${after.createdAt.toISOString()}::timestamptz, ${after.id}::uuid)`;

interface HandRow extends Record<string, unknown> {
  readonly created_at: string;
  readonly updated_at: string;
}

/** The connection gives times as text; both sides of the comparison give Dates. */
const withTimes = (row: HandRow) => ({
  ...row,
  created_at: new Date(row.created_at),
  updated_at: new Date(row.updated_at),
});

/** The page first, and only for its rows their tags and aliases. */
const versionPage = (tx: TenantTx, where: SQL, order: SQL) => sql`
  select v.*,
         (select json_object_agg(t.key, t.value) from model_tags t
           where t.tenant_id = ${tenantOf(tx)} and t.subject_id = v.id) as tags,
         (select json_agg(a.alias) from model_aliases a
           where a.tenant_id = ${tenantOf(tx)} and a.name = v.name and a.version = v.version) as aliases
    from (select * from model_registry v
           where v.tenant_id = ${tenantOf(tx)} and v.deleted_at is null and ${where}
           order by ${order} limit ${limits.versions + 1}) v`;

/** Names that only versions inserted by hand bear are models too: the same question as searchModels answers. */
const modelPage = (tx: TenantTx, where: SQL) => sql`
  select m.*,
         (select json_object_agg(t.key, t.value) from model_tags t
           where t.tenant_id = ${tenantOf(tx)} and t.model_id = m.id) as tags,
         (select json_object_agg(a.alias, a.version) from model_aliases a
           where a.tenant_id = ${tenantOf(tx)} and a.name = m.name) as aliases
    from ((select id, name, description, metadata, actor, created_at, updated_at
             from registered_models
            where tenant_id = ${tenantOf(tx)} and deleted_at is null and ${where}
            order by name limit ${limits.models + 1})
          union all
          (select distinct on (name) null, name, null, '{}', null, created_at, created_at
             from model_registry v
            where tenant_id = ${tenantOf(tx)} and deleted_at is null and stage_change_number = 0 and ${where}
              and not exists (select from registered_models r where r.tenant_id = ${tenantOf(tx)} and r.name = v.name)
            order by name, id limit ${limits.models + 1})
          order by name limit ${limits.models + 1}) m`;
