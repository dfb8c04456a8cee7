import { connect, type Database, type Page, type PageInput, readOne, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type Run, type SearchRunsInput, searchRuns } from '@mcp-hub/training';
import { type SQL, sql } from 'drizzle-orm';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';
import { fillRuns, searchShape } from './training-search-data.ts';

const { tenant } = searchShape;
const limit = 50;

interface Search {
  readonly name: string;
  readonly input: SearchRunsInput;
  /** The page without what is read for its rows only: `id`, in order. `after` is the last row of the page before. */
  readonly byHand: (tx: TenantTx, after: Run | undefined) => SQL;
}

const searches: readonly Search[] = [
  {
    name: 'all, the newest first',
    input: {},
    byHand: (tx, after) => newest(tx, sql`true`, after),
  },
  {
    name: 'of a group, the newest first',
    input: { filter: "group = 'group 7' AND status = 'succeeded'" },
    byHand: (tx, after) => newest(tx, sql`group_name = 'group 7' and status = 'succeeded'`, after),
  },
  {
    name: 'by param and metric, the newest first',
    input: { filter: "params.`param 3` = 'value 7' AND metrics.loss < 0.9" },
    byHand: (tx, after) => newest(tx, sql`${param(tx, 'param 3', 'value 7')} and ${lossBelow(tx, 0.9)}`, after),
  },
  {
    name: 'all, the latest auc, the greatest first',
    input: { orderBy: 'metrics.auc DESC' },
    byHand: (tx, after) => byMetric(tx, { key: 'auc', column: 'latest_value', order: 'desc' }, sql`true`, after),
  },
  {
    name: 'all, the best loss, the smallest first',
    input: { orderBy: 'best.loss' },
    byHand: (tx, after) => byMetric(tx, { key: 'loss', column: 'best_value', order: 'asc' }, sql`true`, after),
  },
  {
    name: 'by param, the latest auc, the greatest first',
    input: { filter: "params.`param 3` = 'value 7'", orderBy: 'metrics.auc DESC' },
    byHand: (tx, after) =>
      byMetric(tx, { key: 'auc', column: 'latest_value', order: 'desc' }, param(tx, 'param 3', 'value 7'), after),
  },
];

/** Filters that few runs pass or none: one page has them all. */
const rare: readonly Search[] = [
  {
    name: 'one run by its param',
    input: { filter: "params.`param 10` = 'run 777'" },
    byHand: (tx, after) => newest(tx, param(tx, 'param 10', 'run 777'), after),
  },
  {
    name: 'five runs by a metric',
    input: { filter: 'metrics.loss < 0.0001' },
    byHand: (tx, after) => newest(tx, lossBelow(tx, 0.0001), after),
  },
];

/** Page 1 and page 100 of searches over 50,000 runs, beside hand-written SQL in the same transaction form. */
export async function benchTrainingSearch(): Promise<void> {
  const database = await startBenchDatabase();
  try {
    await fillRuns(database.ownerUrl);
    await benchSearches(database.serviceUrl);
  } finally {
    await database.end();
  }
}

async function benchSearches(serviceUrl: string): Promise<void> {
  const { runs, otherTenants, runsOfOther } = searchShape;
  console.log(
    `\n${runs} runs with 10 params, 5 metrics and 3 tags each, and ${otherTenants * runsOfOther} of ${otherTenants} others`,
  );
  const db = await connect({ url: serviceUrl, max: 4 });
  for (const search of searches) await benchSearch(db, search, 100);
  for (const search of rare) await benchSearch(db, search, 1);
  await db.close();
}

async function benchSearch(db: Database, { name, input, byHand }: Search, pages: number): Promise<void> {
  const hand = (after: Run | undefined) => readOne(db, tenant, (tx) => tx.execute(whole(tx, byHand(tx, after))));
  const search = (page: PageInput) => readOne(db, tenant, (tx) => searchRuns(tx, { ...input, ...page, limit }));
  const far = pages === 1 ? undefined : await lastOfPage(search, pages - 1);
  const cases = [
    { name: 'page 1, by hand (reference)', run: () => hand(undefined) as Promise<unknown> },
    { name: 'page 1', run: () => search({}) as Promise<unknown> },
  ];
  if (far !== undefined) {
    cases.push(
      { name: `page ${pages}, by hand`, run: () => hand(far.last) },
      { name: `page ${pages}`, run: () => search({ cursor: far.cursor }) },
    );
  }
  const [firstByHand, first] = await Promise.all([hand(undefined), search({})]);
  const ids = (rows: readonly object[]) => rows.slice(0, limit).map((row) => Reflect.get(row, 'id'));
  if (String(ids(firstByHand)) !== String(ids(first.items))) throw new Error(`${name}: the two find different runs.`);
  const measured = await measure(cases, { rounds: 150, warmUp: 20 });
  const [, one, handFar, ours] = measured.map(({ medianMs }) => medianMs);
  printTable(
    `Search: ${name}; pages of ${limit}`,
    measured.map((row, index) => ({
      read: row.name,
      'median ms': row.medianMs,
      'p95 ms': row.p95Ms,
      'beside by hand': index < 2 ? row.ratio : row.medianMs / (handFar ?? Number.NaN),
      aim: index % 2 === 1 ? '1.3' : '',
      'beside page 1': index === 3 ? (ours ?? Number.NaN) / (one ?? Number.NaN) : '',
    })),
  );
}

async function lastOfPage(
  search: (page: PageInput) => Promise<Page<Run>>,
  pages: number,
): Promise<{ readonly cursor: string; readonly last: Run }> {
  let cursor: string | undefined;
  let last: Run | undefined;
  for (let number = 1; number <= pages; number += 1) {
    const page: Page<Run> = await search(cursor === undefined ? {} : { cursor });
    cursor = page.nextCursor;
    last = page.items.at(-1);
  }
  if (cursor === undefined || last === undefined) throw new Error('The search has too few pages.');
  return { cursor, last };
}

/** The page first, and only for its rows their params, tags and metrics. */
const whole = (tx: TenantTx, page: SQL) => sql`
  select r.id, r.name, r.group_name, r.status, r.description, r.code_version, r.dataset_name, r.dataset_digest, r.seed,
         r.environment, r.parent_run_id, r.attempt, r.leased_until, r.fencing_token, r.started_at, r.ended_at, r.error,
         r.actor, r.deleted_at, r.created_at, r.updated_at,
         (select json_object_agg(p.key, p.value) from training_params p
           where p.tenant_id = ${tenantOf(tx)} and p.run_id = r.id) as params,
         (select json_object_agg(t.key, t.value) from training_tags t
           where t.tenant_id = ${tenantOf(tx)} and t.run_id = r.id) as tags,
         (select json_object_agg(k.key, json_build_object(
                   'pointCount', k.point_count, 'goal', k.goal,
                   'latest', array[k.latest_step::text, k.latest_at::text, k.latest_value::text],
                   'min', array[k.min_step::text, k.min_at::text, k.min_value::text],
                   'max', array[k.max_step::text, k.max_at::text, k.max_value::text]))
            from training_metric_keys k
           where k.tenant_id = ${tenantOf(tx)} and k.run_id = r.id) as metrics
    from (${page}) r`;

const newest = (tx: TenantTx, where: SQL, after: Run | undefined) => sql`
  select r.*
    from training_runs r
   where r.tenant_id = ${tenantOf(tx)} and r.deleted_at is null and ${where}
     and ${
       after === undefined
         ? sql`true`
         : sql`(r.created_at, r.id) < (${after.createdAt.toISOString()}::timestamptz, ${after.id}::uuid)`
     }
   order by r.created_at desc, r.id desc limit ${limit + 1}`;

interface MetricOrder {
  readonly key: string;
  readonly column: 'latest_value' | 'best_value';
  readonly order: 'asc' | 'desc';
}

/** Of the runs that have a number there: whoever writes by hand asks for the others once these have come to an end. */
function byMetric(tx: TenantTx, { key, column, order }: MetricOrder, where: SQL, after: Run | undefined): SQL {
  const value = sql`k.${sql.identifier(column)}`;
  const direction = sql.raw(order);
  const metric = after?.metrics[key];
  const last = (column === 'latest_value' ? metric?.latest : metric?.best)?.value;
  const beyond =
    after === undefined
      ? sql`true`
      : sql`(${value}, k.run_id) ${sql.raw(order === 'asc' ? '>' : '<')} (${String(last)}::text::float8, ${after.id}::uuid)`;
  return sql`
  select r.*
    from training_metric_keys k
    join training_runs r on r.tenant_id = ${tenantOf(tx)} and r.id = k.run_id
   where k.tenant_id = ${tenantOf(tx)} and k.key = '${sql.raw(key)}' and ${value} < 'NaN' and ${beyond}
     and r.deleted_at is null and ${where}
   order by ${value} ${direction}, k.run_id ${direction} limit ${limit + 1}`;
}

// The values stand in the text: the server plans for them once, and need not plan for each page.
const param = (tx: TenantTx, key: string, value: string) => sql`exists (
  select from training_params p
   where p.tenant_id = ${tenantOf(tx)} and p.run_id = r.id and p.key = '${sql.raw(key)}' and p.value_start = '${sql.raw(value)}')`;

const lossBelow = (tx: TenantTx, value: number) => sql`exists (
  select from training_metric_keys l
   where l.tenant_id = ${tenantOf(tx)} and l.run_id = r.id and l.key = 'loss'
     and l.latest_value < ${sql.raw(String(value))})`;
