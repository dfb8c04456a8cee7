import type { TenantTx } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  cancelRun,
  createRun,
  deleteRun,
  diffRuns,
  linkRunModel,
  listChildRuns,
  listGroups,
  logBatch,
  type RunGroup,
  searchRunModels,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const inTenant = <Result>(work: (tx: TenantTx) => Promise<Result>) => training.run(freshTenant(), work);
const nobodys = '01890000-0000-7000-8000-000000000000';

describe('diffRuns', () => {
  it('gives what is not equal in all runs, in the order in which they were named', async () => {
    await inTenant(async (tx) => {
      const same = { datasetName: 'flights', params: { same: 'x' }, tags: { team: 'ops' } };
      const { id: a } = await createRun(tx, {
        ...same,
        name: 'a',
        codeVersion: 'abc',
        seed: 1,
        params: { same: 'x', lr: '0.1', onlyA: 'p' },
        environment: { python: '3.12', gpus: [1, { kind: 'a', memory: 1 }], none: null },
      });
      const { id: b } = await createRun(tx, {
        ...same,
        name: 'b',
        codeVersion: 'abd',
        seed: 1,
        datasetDigest: 'sha256:1f',
        params: { same: 'x', lr: '0.2' },
        tags: { team: 'ops', note: 'n' },
        environment: { gpus: [1, { memory: 1.0, kind: 'a' }], python: '3.13' },
      });
      await logBatch(tx, {
        runId: a,
        points: [
          { key: 'loss', value: 9 },
          { key: 'loss', value: 1, step: 1 },
          { key: 'nan', value: Number.NaN },
          { key: 'zero', value: -0 },
          { key: 'far', value: Infinity },
        ],
      });
      await logBatch(tx, {
        runId: b,
        points: [
          { key: 'loss', value: 1 },
          { key: 'nan', value: Number.NaN },
          { key: 'zero', value: 0 },
          { key: 'far', value: Number.NaN },
        ],
        goals: { noPoints: 'minimize' },
      });
      expect(await diffRuns(tx, { runIds: [b, a] })).toEqual({
        runIds: [b, a],
        attributes: { codeVersion: ['abd', 'abc'], datasetDigest: ['sha256:1f', undefined] },
        environment: { none: [undefined, null], python: ['3.13', '3.12'] },
        params: { lr: ['0.2', '0.1'], onlyA: [undefined, 'p'] },
        tags: { note: ['n', undefined] },
        metrics: { far: [Number.NaN, Infinity] },
      });
      expect(await diffRuns(tx, { runIds: [a, b] })).toMatchObject({ params: { lr: ['0.1', '0.2'] } });
    });
  });

  it('takes a key named __proto__ as any other', async () => {
    await inTenant(async (tx) => {
      const { id: a } = await createRun(tx, { name: 'a' });
      const { id: b } = await createRun(tx, { name: 'b' });
      await logBatch(tx, { runId: a, points: [{ key: '__proto__', value: 1 }] });
      const { metrics } = await diffRuns(tx, { runIds: [a, b] });
      expect(Object.entries(metrics)).toEqual([['__proto__', [1, undefined]]]);
    });
  });

  it('compares up to 100 runs, of which one has something else', async () => {
    await inTenant(async (tx) => {
      const ids: string[] = [];
      for (let n = 0; n < 100; n += 1) {
        ids.push((await createRun(tx, { name: `r${n}`, params: { a: 'x', b: n === 77 ? 'y' : 'x' } })).id);
      }
      const { params } = await diffRuns(tx, { runIds: ids });
      expect(Object.keys(params)).toEqual(['b']);
      expect(params['b']).toHaveLength(100);
      expect(params['b']?.indexOf('y')).toBe(77);
      const tooMany = await refusalOf(diffRuns(tx, { runIds: [...ids, nobodys] }));
      expect(tooMany).toMatchObject({ code: 'invalid_input' });
      expect(tooMany.message).toContain('100');
      for (const runIds of [[], ids.slice(0, 1), [ids[0] ?? '', ids[0]?.toUpperCase() ?? '']]) {
        expect(await refusalOf(diffRuns(tx, { runIds }))).toMatchObject({ code: 'invalid_input' });
      }
    });
  });

  it('refuses a run that is not there, and a deleted one unless it is asked for', async () => {
    await inTenant(async (tx) => {
      const { id: a } = await createRun(tx, { name: 'a', params: { p: '1' } });
      const { id: b } = await createRun(tx, { name: 'b' });
      await deleteRun(tx, { runId: b });
      const deleted = await refusalOf(diffRuns(tx, { runIds: [a, b] }));
      expect(deleted).toMatchObject({ code: 'not_found' });
      expect(await refusalOf(diffRuns(tx, { runIds: [a, nobodys] }))).toEqual(deleted);
      const { params } = await diffRuns(tx, { runIds: [a, b], includeDeleted: true });
      expect(params).toEqual({ p: ['1', undefined] });
    });
  });
});

describe('listChildRuns', () => {
  it('gives the children, the newest first, and not their children', async () => {
    await inTenant(async (tx) => {
      const { id: parent } = await createRun(tx, { name: 'parent' });
      const children: string[] = [];
      for (let n = 0; n < 5; n += 1) {
        children.unshift((await createRun(tx, { name: `child ${n}`, parentRunId: parent })).id);
      }
      await createRun(tx, { name: 'grandchild', parentRunId: children[0] ?? '' });
      await deleteRun(tx, { runId: children[2] ?? '' });
      const first = await listChildRuns(tx, { runId: parent, limit: 3 });
      const rest = await listChildRuns(tx, { runId: parent, limit: 3, cursor: first.nextCursor ?? '' });
      const live = children.filter((_, place) => place !== 2);
      expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(live);
      expect(rest.nextCursor).toBeUndefined();
      const all = await listChildRuns(tx, { runId: parent, lifecycle: 'all', include: { params: false } });
      expect(all.items.map(({ id }) => id)).toEqual(children);
      expect((await listChildRuns(tx, { runId: nobodys })).items).toEqual([]);
      const other = { runId: children[0] ?? '', limit: 3, cursor: first.nextCursor ?? '' };
      expect(await refusalOf(listChildRuns(tx, other))).toMatchObject({ code: 'invalid_input' });
    });
  });
});

describe('listGroups', () => {
  it('counts the runs of each group by status, with the times of the first and the last', async () => {
    const tenant = freshTenant();
    const at = (day: number) => new Date(Date.UTC(2026, 0, day));
    for (const [day, group, act] of [
      [1, 'b', 'start'],
      [2, 'b', 'queue'],
      [3, 'a', 'cancel'],
      [4, 'c', 'delete'],
      [5, 'b', 'delete'],
    ] as const) {
      await training.run(
        tenant,
        async (tx) => {
          const { id } = await createRun(tx, { name: 'r', group, start: act === 'start' });
          if (act === 'cancel') await cancelRun(tx, { runId: id });
          if (act === 'delete') await deleteRun(tx, { runId: id });
        },
        { now: at(day) },
      );
    }
    await training.run(tenant, async (tx) => {
      const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, stale: 0 };
      const a: RunGroup = {
        group: 'a',
        runCount: 1,
        byStatus: { ...none, cancelled: 1 },
        firstCreatedAt: at(3),
        lastCreatedAt: at(3),
      };
      const b: RunGroup = {
        group: 'b',
        runCount: 2,
        byStatus: { ...none, running: 1, queued: 1 },
        firstCreatedAt: at(1),
        lastCreatedAt: at(2),
      };
      expect((await listGroups(tx)).items).toEqual([a, b]);
      expect((await listGroups(tx, { orderBy: 'run_count DESC' })).items).toEqual([b, a]);
      expect((await listGroups(tx, { orderBy: 'last_created_at DESC' })).items).toEqual([a, b]);
      expect((await listGroups(tx, { filter: "name LIKE 'b%' AND run_count > 1" })).items).toEqual([b]);
      for (const orderBy of ['group', 'run_count', 'first_created_at DESC']) {
        const whole = await listGroups(tx, { orderBy });
        const first = await listGroups(tx, { orderBy, limit: 1 });
        const rest = await listGroups(tx, { orderBy, limit: 1, cursor: first.nextCursor ?? '' });
        expect([...first.items, ...rest.items]).toEqual(whole.items);
        expect(rest.nextCursor).toBeUndefined();
      }
    });
  });
});

describe('searchRunModels', () => {
  it('finds the versions of runs', async () => {
    await inTenant(async (tx) => {
      const runs: string[] = [];
      for (const [name, count] of [
        ['r1', 1],
        ['r2', 2],
        ['r3', 1],
      ] as const) {
        const { id } = await createRun(tx, { name });
        runs.push(id);
        for (let n = 0; n < count; n += 1) {
          const { id: versionId } = await registerVersion(tx, { name: 'm' });
          await linkRunModel(tx, { runId: id, versionId });
        }
      }
      const [r1 = '', r2 = '', r3 = ''] = runs;
      const { id: other } = await registerVersion(tx, { name: 'other' });
      await linkRunModel(tx, { runId: r3, versionId: other, role: 'input' });
      const versions = async (filter: string) =>
        (await searchRunModels(tx, { filter, orderBy: 'version_id' })).items.map(
          ({ modelName, modelVersion }) => `${modelName}/${modelVersion}`,
        );
      expect(await versions(`run_id IN ('${r1}','${r2}')`)).toEqual(['m/1', 'm/2', 'm/3']);
      expect(await versions(`run_id = '${r3}' AND role = 'output'`)).toEqual(['m/4']);
      expect(await versions(`run_id IN ('${r1.toUpperCase()}', '${r2}')`)).toEqual(['m/2', 'm/3']);
      expect(await versions(`run_id IN ('${r1.toUpperCase()}')`)).toEqual([]);
      expect(await versions(`run_id = '${r1.toUpperCase()}'`)).toEqual([]);
      expect(await versions(`NOT run_id = '${r1.toUpperCase()}' AND run_id != '${r2.toUpperCase()}'`)).toHaveLength(5);
      expect(await versions("run_name = 'r2' AND version != '3'")).toEqual(['m/2']);
      expect(await versions("name LIKE 'oth%' AND role = 'INPUT' AND stage = 'development'")).toEqual(['other/1']);
      for (const filter of ['run_id IN ()', 'run_id IN (,)', 'run_id IN (1,2,3)', 'run_id IN', 'name LIKE']) {
        expect([filter, (await refusalOf(searchRunModels(tx, { filter }))).code]).toEqual([filter, 'invalid_input']);
      }
      await deleteVersion(tx, { name: 'm', version: '2' });
      expect(await versions(`run_id = '${r2}'`)).toEqual(['m/3']);
      const first = await searchRunModels(tx, { limit: 2 });
      const rest = await searchRunModels(tx, { limit: 2, cursor: first.nextCursor ?? '' });
      expect(new Set([...first.items, ...rest.items].map(({ versionId }) => versionId)).size).toBe(4);
      expect(rest.nextCursor).toBeUndefined();
    });
  });
});
