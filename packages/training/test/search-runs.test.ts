import type { TenantTx } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  deleteRun,
  getRun,
  linkRunModel,
  logBatch,
  restoreRun,
  type SearchRunsInput,
  searchRuns,
  TRAINING_LIMITS,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) => training.run(freshTenant(), work);

async function namesOf(tx: TenantTx, input: SearchRunsInput): Promise<readonly string[]> {
  return (await searchRuns(tx, input)).items.map(({ name }) => name);
}

/** All pages of this size, put together. */
async function walk(tx: TenantTx, input: SearchRunsInput, limit: number): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await searchRuns(tx, { ...input, limit, ...(cursor === undefined ? {} : { cursor }) });
    names.push(...page.items.map(({ name }) => name));
    expect(page.items.length).toBe(page.nextCursor === undefined ? page.items.length : limit);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return names;
}

const makeRun = async (tx: TenantTx, name: string, params: Readonly<Record<string, string>> = {}) =>
  (await createRun(tx, { name, params, start: true })).id;

describe('an order by metric', () => {
  const values = {
    none: undefined,
    nan: Number.NaN,
    inf: Infinity,
    '-inf': -Infinity,
    '-1000': -1000,
    '0 first': 0,
    '0 second': 0,
    '1000': 1000,
  };
  async function fill(tx: TenantTx): Promise<void> {
    for (const [name, value] of Object.entries(values)) {
      const runId = await makeRun(tx, name);
      const points = [{ key: 'other', value: 1 }, ...(value === undefined ? [] : [{ key: 'x', value }])];
      await logBatch(tx, { runId, points, goals: { x: 'maximize' } });
    }
  }

  it('has NaN and then the runs without a value last, both ways', async () => {
    await inTenant(async (tx) => {
      await fill(tx);
      const up = ['-inf', '-1000', '0 first', '0 second', '1000', 'inf', 'nan', 'none'];
      const down = ['inf', '1000', '0 second', '0 first', '-1000', '-inf', 'nan', 'none'];
      for (const limit of [1, 2, 3, 8, 9]) {
        expect(await walk(tx, { orderBy: 'metrics.x' }, limit)).toEqual(up);
        expect(await walk(tx, { orderBy: 'metric.x DESC' }, limit)).toEqual(down);
        expect(await walk(tx, { orderBy: [{ field: 'metrics', key: 'x', direction: 'desc' }] }, limit)).toEqual(down);
      }
    });
  });

  it('counts NaN as no value for the smallest, the greatest and the best', async () => {
    await inTenant(async (tx) => {
      await fill(tx);
      const up = ['-inf', '-1000', '0 first', '0 second', '1000', 'inf'];
      const down = up.toReversed();
      for (const field of ['min', 'max', 'best']) {
        for (const limit of [1, 3, 8]) {
          expect(await walk(tx, { orderBy: `${field}.x` }, limit)).toEqual([...up, 'none', 'nan']);
          expect(await walk(tx, { orderBy: `${field}.x DESC` }, limit)).toEqual([...down, 'nan', 'none']);
        }
      }
    });
  });

  it('goes on to other terms where values are equal, and takes params and tags too', async () => {
    await inTenant(async (tx) => {
      for (const [name, loss, auc, lr] of [
        ['a', 1, 5, '0.1'],
        ['b', 1, 7, '0.01'],
        ['c', 0, 1, '0.1'],
      ] as const) {
        const runId = await makeRun(tx, name, { lr });
        await logBatch(tx, { runId, points: Object.entries({ loss, auc }).map(([key, value]) => ({ key, value })) });
      }
      for (const limit of [1, 2, 3]) {
        expect(await walk(tx, { orderBy: 'metrics.loss, metrics.auc DESC' }, limit)).toEqual(['c', 'b', 'a']);
        expect(await walk(tx, { orderBy: 'params.lr DESC, metrics.loss' }, limit)).toEqual(['c', 'a', 'b']);
        expect(await walk(tx, { orderBy: 'params.lr, name DESC' }, limit)).toEqual(['b', 'c', 'a']);
      }
    });
  });
});

describe('a filter', () => {
  it('sees the latest value by step, time and value, and the others by their names', async () => {
    await inTenant(async (tx) => {
      const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
      const points = [
        { key: 'm_b', value: 3, at: at(2) },
        { key: 'm_b', value: 4, at: at(8) },
        { key: 'm_b', value: 8, at: at(3) },
      ];
      await logBatch(tx, { runId: await makeRun(tx, 'r'), points, goals: { m_b: 'minimize' } });
      const found = {
        'metrics.m_b > 5': 0,
        'metrics.m_b = 4': 1,
        'metrics.m_b != 4': 0,
        'latest.m_b = 4': 1,
        'max.m_b > 5': 1,
        'min.m_b = 3': 1,
        'best.m_b = 3': 1,
        'best.m_b > 3': 0,
        'metrics.m_b IS NULL': 0,
        'metrics.m_c IS NULL': 1,
      };
      for (const [filter, count] of Object.entries(found)) {
        expect([filter, (await searchRuns(tx, { filter })).items.length]).toEqual([filter, count]);
      }
    });
  });

  it('takes NaN and infinities for values, and NaN for no number', async () => {
    await inTenant(async (tx) => {
      for (const value of [Number.NaN, Infinity, -Infinity, 1]) {
        await logBatch(tx, { runId: await makeRun(tx, String(value)), points: [{ key: 'x', value }] });
      }
      const orderBy = 'created_at, id';
      expect(await namesOf(tx, { filter: 'metrics.x = NaN', orderBy })).toEqual(['NaN']);
      expect(await namesOf(tx, { filter: 'metrics.x > 0', orderBy })).toEqual(['Infinity', '1']);
      expect(await namesOf(tx, { filter: 'metrics.x < 0', orderBy })).toEqual(['-Infinity']);
      expect(await namesOf(tx, { filter: 'metrics.x = Infinity', orderBy })).toEqual(['Infinity']);
    });
  });

  it('skips runs without the key where it says !=, and tells cases apart unless it says ILIKE', async () => {
    await inTenant(async (tx) => {
      await makeRun(tx, 'x', { p: 'x' });
      await makeRun(tx, 'other', { p: 'An Other' });
      await makeRun(tx, 'without');
      const orderBy = 'name';
      expect(await namesOf(tx, { filter: "params.p != 'x'", orderBy })).toEqual(['other']);
      expect(await namesOf(tx, { filter: "NOT params.p = 'x'", orderBy })).toEqual(['other', 'without']);
      expect(await namesOf(tx, { filter: "params.p LIKE '%Other%'", orderBy })).toEqual(['other']);
      expect(await namesOf(tx, { filter: "params.p LIKE '%other%'", orderBy })).toEqual([]);
      expect(await namesOf(tx, { filter: "param.p ILIKE '%other%'", orderBy })).toEqual(['other']);
      expect(await namesOf(tx, { filter: "params.p IN ('x', 'y') OR params.p IS NULL", orderBy })).toEqual([
        ...['without', 'x'],
      ]);
    });
  });

  it('finds keys with spaces, dots and quotes', async () => {
    await inTenant(async (tx) => {
      const keys = ['avg model score', 'model.score', 'a "b" `c`', 'für'];
      const runId = await makeRun(tx, 'r', Object.fromEntries(keys.map((key) => [key, 'v'])));
      await logBatch(tx, { runId, points: keys.map((key) => ({ key, value: 0.7 })) });
      for (const filter of [
        'metrics.`avg model score` > 0.5',
        'metrics."avg model score" > 0.5',
        "params.`avg model score` = 'v'",
        'metrics.model.score > 0.5',
        'metrics.`model.score` > 0.5',
        'metrics."a ""b"" `c`" > 0.5',
        'metrics.`für` > 0.5',
      ]) {
        expect([filter, await namesOf(tx, { filter })]).toEqual([filter, ['r']]);
        expect([filter, await namesOf(tx, { filter: filter.replace('0.5', '0.8').replace("'v'", "'w'") })]).toEqual([
          ...[filter, []],
        ]);
      }
      expect(await namesOf(tx, { orderBy: 'metrics.`avg model score` DESC' })).toEqual(['r']);
    });
  });

  it('tells long params apart that begin alike', async () => {
    await inTenant(async (tx) => {
      const [short, long] = ['a'.repeat(200), `${'a'.repeat(5_999)}b`];
      await makeRun(tx, 'short', { p: short });
      await makeRun(tx, 'long', { p: long });
      for (const [name, value] of Object.entries({ short, long })) {
        expect(await namesOf(tx, { filter: { field: 'params', key: 'p', op: '=', value } })).toEqual([name]);
      }
    });
  });

  it('knows every attribute, and says where it stands and what there is when it does not', async () => {
    await inTenant(async (tx) => {
      const { id: parentRunId } = await createRun(tx, { name: 'parent' });
      const { id } = await createRun(tx, {
        name: 'r',
        group: 'g',
        description: 'd',
        codeVersion: 'abc',
        datasetName: 'flights',
        datasetDigest: 'sha256:1f',
        seed: 7,
        parentRunId,
        tags: { team: 'ops' },
        start: true,
      });
      for (const filter of [
        `run_id = '${id}'`,
        `attributes.run_id IN ('${id}')`,
        "name = 'r'",
        "attr.run_name LIKE 'r%'",
        "attributes.group = 'g'",
        "status = 'RUNNING'",
        "description = 'd'",
        "code_version = 'abc'",
        "dataset_name = 'flights' AND dataset_digest = 'sha256:1f'",
        'seed = 7',
        `parent_run_id = '${parentRunId}'`,
        'attempt = 1 AND seed > 6.5',
        "start_time > '2020-01-01' AND end_time IS NULL AND error IS NULL AND actor IS NULL AND seed IS NOT NULL",
        "updated_at > '2020-01-01' AND seed = 7 AND deleted_at IS NULL",
        "tags.team = 'ops' AND tag.team != 'dev'",
      ]) {
        expect([filter, await namesOf(tx, { filter })]).toEqual([filter, ['r']]);
      }
      for (const [filter, offset] of [
        ["attribute.lifecycle_stage = 'ACTIVE'", 0],
        ["name = 'r' AND attribute.experiment_id = '1'", 15],
        ['metrics.loss', 12],
        ["metrics.loss > '0.5'", 15],
        ['params.lr > 5', 10],
        ["status LIKE 'run%'", 7],
        ["run_id IN ('r1')", 11],
      ] as const) {
        const refusal = await refusalOf(searchRuns(tx, { filter }));
        expect([filter, refusal.code, refusal.details['offset']]).toEqual([filter, 'invalid_input', offset]);
      }
      const refusal = await refusalOf(searchRuns(tx, { orderBy: 'name, lifecycle_stage' }));
      expect(refusal).toMatchObject({ code: 'invalid_input', details: { offset: 6 } });
      expect(String(refusal.details['expected'])).toContain('metrics.<key>');
    });
  });

  it('asks for linked versions by model, in either role', async () => {
    await inTenant(async (tx) => {
      const [churn1, churn3, base, gone] = [
        await registerVersion(tx, { name: 'churn' }),
        await registerVersion(tx, { name: 'churn', version: '3' }),
        await registerVersion(tx, { name: 'base line' }),
        await registerVersion(tx, { name: 'gone' }),
      ];
      const [a, b, c] = [await makeRun(tx, 'a'), await makeRun(tx, 'b'), await makeRun(tx, 'c')];
      await linkRunModel(tx, { runId: a, versionId: churn1.id });
      await linkRunModel(tx, { runId: a, versionId: base.id, role: 'input' });
      await linkRunModel(tx, { runId: b, versionId: churn3.id });
      await linkRunModel(tx, { runId: c, versionId: churn3.id, role: 'input' });
      await linkRunModel(tx, { runId: c, versionId: gone.id });
      await deleteVersion(tx, { name: 'gone', version: gone.version });
      const orderBy = 'name';
      for (const [filter, names] of [
        ["models.churn = '3'", ['b', 'c']],
        ["outputs.churn = '3'", ['b']],
        ["inputs.churn = '3'", ['c']],
        ['model.churn IS NOT NULL', ['a', 'b', 'c']],
        ["models.churn = '1' AND inputs.`base line` = '1'", ['a']],
        ['outputs.churn IS NULL', ['c']],
        ["models.churn != '3'", ['a']],
        ['models.gone IS NOT NULL', []],
      ] as const) {
        expect([filter, await namesOf(tx, { filter, orderBy })]).toEqual([filter, names]);
      }
      expect(await refusalOf(searchRuns(tx, { orderBy: 'models.churn' }))).toMatchObject({ code: 'invalid_input' });
    });
  });
});

describe('searchRuns', () => {
  it('gives the newest first, as many as asked for and 1,000 unless asked', async () => {
    await inTenant(async (tx) => {
      await tx.execute(sql`
        insert into training_runs (name, created_at)
        select n::text, timestamptz '2026-01-01Z' + n * interval '1 s' from generate_series(1, 1200) n`);
      const newest = Array.from({ length: 1_200 }, (_, index) => String(1_200 - index));
      for (const limit of [1, 2, 3, 10, 999, 1_000, 1_199, 1_200, 1_201, 50_000]) {
        const page = await searchRuns(tx, { limit });
        expect(page.items.map(({ name }) => name)).toEqual(newest.slice(0, limit));
        expect(page.nextCursor === undefined).toBe(limit >= 1_200);
      }
      expect(await namesOf(tx, {})).toEqual(newest.slice(0, 1_000));
      expect(await walk(tx, {}, 400)).toEqual(newest);
      for (const limit of [50_001, 0, -1, 1.5]) {
        const refusal = await refusalOf(searchRuns(tx, { limit }));
        expect(refusal).toMatchObject({ code: 'invalid_input', details: { limit: TRAINING_LIMITS.searchPageMax } });
      }
    });
  });

  it('finds deleted runs where they are asked for, and those that were restored with all that they had', async () => {
    await inTenant(async (tx) => {
      const [kept, deleted] = [await makeRun(tx, 'kept'), await makeRun(tx, 'deleted', { lr: '0.1' })];
      await logBatch(tx, { runId: deleted, points: [{ key: 'loss', value: 1 }], tags: { k: 'v' } });
      const before = await getRun(tx, { runId: deleted });
      await deleteRun(tx, { runId: deleted });
      const orderBy = 'name';
      expect(await namesOf(tx, { orderBy })).toEqual(['kept']);
      expect(await namesOf(tx, { orderBy, lifecycle: 'active' })).toEqual(['kept']);
      expect(await namesOf(tx, { orderBy, lifecycle: 'deleted' })).toEqual(['deleted']);
      expect(await namesOf(tx, { orderBy, lifecycle: 'all' })).toEqual(['deleted', 'kept']);
      expect(await namesOf(tx, { orderBy: 'metrics.loss', lifecycle: 'active' })).toEqual(['kept']);
      await restoreRun(tx, { runId: deleted });
      const [found] = (await searchRuns(tx, { filter: "name = 'deleted'" })).items;
      const { updatedAt: _, ...same } = before;
      expect(found).toMatchObject(same);
      expect(kept).not.toBe(deleted);
    });
  });

  it('gives each run as getRun does, and of its params, tags and metrics those that are asked for', async () => {
    await inTenant(async (tx) => {
      const runId = await makeRun(tx, 'r', { lr: '0.1', depth: '3' });
      const points = [
        { key: 'loss', value: Number.NaN },
        { key: 'auc', value: 0.7, step: 3 },
        { key: 'auc', value: 0.8 },
      ];
      await logBatch(tx, { runId, points, tags: { k: 'v', l: 'w' }, goals: { auc: 'maximize' } });
      await makeRun(tx, 'empty');
      const whole = await getRun(tx, { runId });
      const filter = "name = 'r'";
      expect((await searchRuns(tx, { filter })).items).toEqual([whole]);
      expect((await searchRuns(tx, { filter, include: { params: true, metrics: true } })).items).toEqual([whole]);
      expect((await searchRuns(tx, { filter, include: { params: false, tags: false, metrics: false } })).items).toEqual(
        [{ ...whole, params: {}, tags: {}, metrics: {} }],
      );
      const { auc } = whole.metrics;
      const some = { params: ['depth', 'none'], tags: [], metrics: ['auc'] };
      for (const orderBy of ['created_at', 'metrics.auc DESC', 'params.lr']) {
        expect((await searchRuns(tx, { orderBy, filter, include: some })).items).toEqual([
          { ...whole, params: { depth: '3' }, tags: {}, metrics: { auc } },
        ]);
      }
      const { nextCursor } = await searchRuns(tx, { orderBy: 'metrics.auc', limit: 1 });
      const rest = await searchRuns(tx, { orderBy: 'metrics.auc', include: some, cursor: nextCursor ?? '' });
      expect(rest.items).toMatchObject([{ name: 'empty', params: {}, metrics: {} }]);
      expect(await refusalOf(searchRuns(tx, { include: { params: 'lr' } as never }))).toMatchObject({
        code: 'invalid_input',
      });
    });
  });

  it('neither skips nor repeats a run while others are made, logged to and deleted', async () => {
    await inTenant(async (tx) => {
      const ids: string[] = [];
      for (let n = 0; n < 9; n += 1) {
        const runId = await makeRun(tx, `r${n}`);
        await logBatch(tx, { runId, points: [{ key: 'x', value: n % 3 }] });
        ids.push(runId);
      }
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await searchRuns(tx, {
          orderBy: 'metrics.x DESC',
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.items.map(({ name }) => name).filter((name) => name.startsWith('r')));
        cursor = page.nextCursor;
        const runId = await makeRun(tx, `new ${seen.length}`);
        await logBatch(tx, { runId, points: [{ key: 'x', value: seen.length % 3 }] });
        const last = page.items.at(-1);
        if (last !== undefined) await deleteRun(tx, { runId: last.id });
      } while (cursor !== undefined);
      expect([...seen].sort()).toEqual(ids.map((_, n) => `r${n}`));
    });
  });
});
