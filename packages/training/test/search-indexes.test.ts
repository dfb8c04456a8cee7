import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listChildRuns, listGroups, type Run, type SearchRunsInput, searchRuns } from '../src/index.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const RUNS = 10_000;
let tenant: string;
let owner: postgres.Sql;

/** In a transaction whose counts the server publishes with its end: they would come into a later reading otherwise. */
const counted: typeof training.run = (inTenant, work) =>
  training.run(inTenant, async (tx) => {
    await tx.execute(sql`select pg_stat_force_next_flush()`);
    return await work(tx);
  });

/** Runs a minute apart, with params, a tag and a metric of which each tenth run has NaN and each tenth none. */
async function fill(): Promise<void> {
  await counted(tenant, async (tx) => {
    await tx.execute(sql`
      insert into training_runs (name, group_name, seed, dataset_digest, created_at)
      select 'run ' || n, 'group ' || n % 20, n, 'digest ' || n % 1000, timestamptz '2026-01-01Z' + n * interval '1 minute'
        from generate_series(1, ${RUNS}::int) n`);
    await tx.execute(sql`
      insert into training_params (run_id, key, value)
      select id, key, case key when 'own' then name else 'value ' || seed % 10 end
        from training_runs, unnest(array['own', 'lr']) key`);
    await tx.execute(sql`
      insert into training_tags (run_id, key, value)
      select id, key, case key when 'note' then name else 'team ' || seed % 10 end
        from training_runs, unnest(array['note', 'team']) key`);
    await tx.execute(sql`
      insert into training_metric_keys (run_id, key, key_id, point_count, goal, latest_step, latest_at, latest_value,
                                        min_value, min_step, min_at, max_value, max_step, max_at)
      select id, key, ix, 1, 'minimize', 1, app_now(), case when seed % 10 = 1 then 'NaN' else value end,
             value, 1, app_now(), value, 1, app_now()
        from training_runs, unnest(array['loss', 'auc']) with ordinality as keys (key, ix),
             lateral (select (seed * 7919 % 10007) / 10007.0 as value) as drawn
       where seed % 10 > 0`);
  });
  // Alone the owner sees no rows, and would count none.
  await owner.begin(async (tx) => {
    await tx`select set_config('app.tenant', ${tenant}, true)`;
    await tx`select pg_stat_force_next_flush()`;
    await tx`analyze training_runs, training_params, training_tags, training_metric_keys`;
  });
}

beforeAll(async () => {
  tenant = freshTenant();
  owner = postgres(training.ownerUrl, { max: 1, onnotice: () => {} });
  await fill();
});
afterAll(() => owner.end());

interface Reads {
  /** Entries that were read, by index. */
  readonly entries: Readonly<Record<string, number>>;
  /** Tables that were read from end to end. */
  readonly whole: readonly string[];
}

async function counters(): Promise<Map<string, number>> {
  const rows = await owner<{ name: string; count: string }[]>`
    select indexrelname as name, idx_tup_read as count from pg_stat_user_indexes
     union all
    select 'seq ' || relname, seq_scan from pg_stat_user_tables`;
  return new Map(rows.map(({ name, count }) => [name, Number(count)]));
}

/** What the server counted of the statement as it is run by those who call it, and not of one that is like it. */
async function readsOf(read: Parameters<typeof training.run<unknown>>[1]): Promise<Reads> {
  const before = await counters();
  await counted(tenant, read);
  const after = await counters();
  const grown = [...after].flatMap(([name, count]) => {
    const by = count - (before.get(name) ?? 0);
    return by === 0 ? [] : [[name, by] as const];
  });
  return {
    entries: Object.fromEntries(grown.filter(([name]) => !name.startsWith('seq '))),
    whole: grown.flatMap(([name]) => (name.startsWith('seq training') ? [name.slice(4)] : [])),
  };
}

const search = (input: SearchRunsInput) =>
  readsOf((tx) => searchRuns(tx, { include: { params: false, tags: false, metrics: false }, ...input }));

/** The cursor behind this many runs. */
async function cursorBehind(count: number, input: SearchRunsInput): Promise<string> {
  const page = await counted(tenant, (tx) => searchRuns(tx, { ...input, limit: count }));
  return page.nextCursor ?? '';
}

describe('a page of a search over many runs', () => {
  const limit = 20;

  it.each([
    ['created_at', 'training_runs_created_idx'],
    ['created_at DESC', 'training_runs_created_idx'],
    ['metrics.loss', 'training_metric_keys_latest_idx'],
    ['metrics.loss DESC', 'training_metric_keys_latest_idx'],
    ['best.loss', 'training_metric_keys_best_idx'],
    ['best.loss DESC', 'training_metric_keys_best_idx'],
    ['min.loss DESC', 'training_metric_keys_min_idx'],
    ['max.loss', 'training_metric_keys_max_idx'],
  ])('by %s reads no more of its index than the page, however far it is', async (orderBy, index) => {
    const first = await search({ orderBy, limit });
    expect(first).toMatchObject({ whole: [] });
    expect(first.entries[index]).toBeLessThanOrEqual(2 * (limit + 1));
    const far = await search({ orderBy, limit, cursor: await cursorBehind(7_000, { orderBy }) });
    expect(far).toMatchObject({ whole: [] });
    expect(far.entries[index]).toBeLessThanOrEqual(2 * (limit + 1));
    const all = [first, far].flatMap(({ entries }) => Object.values(entries)).reduce((sum, count) => sum + count, 0);
    expect(all).toBeLessThan(10 * limit);
  });

  it.each([
    ["params.own = 'run 77'", 'training_params_value_idx', 1],
    ["params.own = 'none'", 'training_params_value_idx', 0],
    ["params.own IN ('run 77', 'run 78')", 'training_params_value_idx', 2],
    ["tags.note = 'run 77'", 'training_tags_value_idx', 1],
    ['metrics.loss < 0.001', 'training_metric_keys_latest_idx', 10],
    ['best.loss < 0.001', 'training_metric_keys_best_idx', 10],
    ['min.loss < 0.001 AND max.loss < 0.0005', 'training_metric_keys_', 10],
    ["dataset_digest = 'digest 7'", 'training_runs_dataset_idx', 10],
  ])('where %s finds the runs by index', async (filter, index, count) => {
    const { entries, whole } = await search({ filter, limit });
    expect(whole).toEqual([]);
    const read = Object.entries(entries).filter(([name]) => name.startsWith(index));
    if (count > 0) expect(read).not.toEqual([]);
    const all = Object.values(entries).reduce((sum, entry) => sum + entry, 0);
    expect(all).toBeLessThanOrEqual(10 * (count + 1));
  });

  it('of a group reads the runs of the group in their order', async () => {
    const { entries, whole } = await search({ filter: "group = 'group 7'", limit });
    expect(whole).toEqual([]);
    expect(entries['training_runs_group_idx']).toBeLessThanOrEqual(limit + 1);
  });

  it('reads of params, tags and metrics those of its runs', async () => {
    for (const include of [{}, { params: ['lr'], tags: ['team'], metrics: ['loss'] }]) {
      const { entries, whole } = await search({ limit, include });
      expect(whole).toEqual([]);
      for (const table of ['training_params', 'training_tags', 'training_metric_keys']) {
        const ofTable = Object.entries(entries).filter(([name]) => name.startsWith(table));
        const read = ofTable.reduce((sum, [, count]) => sum + count, 0);
        expect(read).toBeGreaterThan(0);
        expect(read).toBeLessThanOrEqual(2 * (limit + 1));
      }
    }
  });

  it('asks nothing of what is not included', async () => {
    const { entries } = await search({ limit });
    expect(Object.keys(entries)).toEqual(['training_runs_created_idx']);
  });

  it('of the children of a run reads these alone', async () => {
    const { entries, whole } = await readsOf(async (tx) => {
      const [{ id } = {} as Partial<Run>] = (await searchRuns(tx, { limit: 1 })).items;
      return await listChildRuns(tx, { runId: id ?? '' });
    });
    expect(whole).toEqual([]);
    expect(Object.values(entries).reduce((sum, count) => sum + count, 0)).toBeLessThan(20);
  });

  it('of groups by name counts the runs of these alone', async () => {
    const { entries, whole } = await readsOf((tx) => listGroups(tx, { filter: "group = 'group 7'" }));
    expect(whole).toEqual([]);
    expect(entries['training_runs_group_idx']).toBeLessThanOrEqual(RUNS / 20);
  });
});

describe('pages', () => {
  it('put together are all runs in order, by metric with NaN and missing values last', async () => {
    await training.run(tenant, async (tx) => {
      for (const orderBy of ['metrics.loss DESC', 'best.loss', 'metrics.auc, created_at DESC']) {
        const include = { params: false, tags: false } as const;
        const whole = (await searchRuns(tx, { orderBy, limit: 50_000, include })).items;
        expect(whole).toHaveLength(RUNS);
        const ids: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await searchRuns(tx, {
            orderBy,
            limit: 3_000,
            include,
            ...(cursor === undefined ? {} : { cursor }),
          });
          ids.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(ids).toEqual(whole.map(({ id }) => id));
        const [field, key] = (orderBy.split(/[ ,]/)[0] ?? '').split('.');
        const values = whole.map(({ metrics }) => {
          const metric = metrics[key ?? ''];
          return (field === 'metrics' ? metric?.latest : field === 'best' ? metric?.best : metric?.max)?.value;
        });
        const sign = orderBy.split(',')[0]?.endsWith('DESC') === true ? -1 : 1;
        const place = (value: number | undefined) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0);
        const sorted = [...values].sort(
          (a, b) => place(a) - place(b) || (place(a) === 0 ? sign * ((a ?? 0) - (b ?? 0)) : 0),
        );
        expect(values).toEqual(sorted);
      }
    });
  });
});
