import { createHash } from 'node:crypto';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { createRun, deleteRun, getManifest, listArtifacts, recordArtifacts } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();
const sha256 = 'A0'.repeat(32);

describe('recordArtifacts', () => {
  it('writes them, and over those of the same path', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const first = {
        path: 'model/weights.onnx',
        kind: 'model',
        uri: 's3://a',
        bytes: 12,
        sha256,
        metadata: { a: [1] },
      };
      await recordArtifacts(tx, { runId, artifacts: [first, { path: 'log.txt' }] });
      await recordArtifacts(tx, { runId, artifacts: [{ ...first, bytes: 13, uri: null }] });
      await recordArtifacts(tx, { runId, artifacts: [] });
      const { items } = await listArtifacts(tx, { runId });
      expect(items).toMatchObject([
        { path: 'log.txt', kind: 'file', uri: null, bytes: null, sha256: null, metadata: {} },
        { ...first, bytes: 13, uri: null, sha256: sha256.toLowerCase() },
      ]);
    });
  });

  it('leaves the row of one that is written again as it is', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const record = (now: string) =>
      training.run(
        tenant,
        async (tx) => {
          await recordArtifacts(tx, { runId, artifacts: [{ path: 'a', bytes: 1 }] });
          return (await listArtifacts(tx, { runId })).items;
        },
        { now: new Date(now) },
      );
    expect(await record('2030-01-02T00:00:00Z')).toEqual(await record('2030-01-03T00:00:00Z'));
  });

  it('writes all of them or none', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const bad = [
        [{ path: 'a' }, { path: 'a' }],
        ...['', '/a', 'a//b', '../a', 'a/./b', 'a\\b', ' a', 'a\nb', 'x'.repeat(1_025)].map((path) => [
          { path: 'a' },
          { path },
        ]),
        [{ path: 'a' }, { path: 'b', sha256: 'abc' }],
        [{ path: 'a' }, { path: 'b', bytes: -1 }],
        Array.from({ length: 1_001 }, (_, index) => ({ path: String(index) })),
      ];
      for (const artifacts of bad) {
        expect((await refusalOf(recordArtifacts(tx, { runId, artifacts }))).code).toBe('invalid_input');
      }
      await deleteRun(tx, { runId });
      expect((await refusalOf(recordArtifacts(tx, { runId, artifacts: [{ path: 'a' }] }))).details).toEqual({
        reason: 'run_deleted',
      });
      expect(await tx.execute(sql`select 1 from training_artifacts`)).toEqual([]);
    });
  });

  it('of two writers of the same paths in opposite orders makes none wait for ever', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const paths = Array.from({ length: 300 }, (_, index) => `f${index}`);
    await Promise.all(
      [paths, paths.toReversed(), paths, paths.toReversed()].map((order, writer) =>
        training.run(tenant, (tx) =>
          recordArtifacts(tx, { runId, artifacts: order.map((path) => ({ path, bytes: writer })) }),
        ),
      ),
    );
    const { artifacts } = await training.run(tenant, (tx) => getManifest(tx, { runId }));
    expect(new Set(artifacts.map(({ bytes }) => bytes)).size).toBe(1);
  });
});

describe('listArtifacts', () => {
  it('gives them by path, by pages, and those of a kind', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const paths = ['a', 'b', 'c', 'd', 'e'];
      await recordArtifacts(tx, {
        runId,
        artifacts: paths.toReversed().map((path) => ({ path, kind: path < 'c' ? 'plot' : 'model' })),
      });
      const first = await listArtifacts(tx, { runId, limit: 3 });
      const second = await listArtifacts(tx, { runId, limit: 3, cursor: first.nextCursor ?? '' });
      expect([...first.items, ...second.items].map(({ path }) => path)).toEqual(paths);
      expect(second.nextCursor).toBeUndefined();
      expect((await listArtifacts(tx, { runId, kind: 'plot' })).items).toHaveLength(2);
      await deleteRun(tx, { runId });
      expect((await listArtifacts(tx, { runId })).items).toEqual([]);
    });
  });
});

describe('getManifest', () => {
  it('has the artifacts in the order of their bytes, their size, and a digest that anyone can take again', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      // By UTF-16 the last two would be the other way round, by a language's rules the first.
      const paths = ['B', 'a', 'ä', '\uffee', '\u{1f600}'];
      const artifacts = paths.map((path, index) => ({ path, bytes: index, sha256 }));
      await recordArtifacts(tx, { runId, artifacts: artifacts.toReversed() });
      const manifest = await getManifest(tx, { runId });
      expect(manifest.artifacts.map(({ path }) => path)).toEqual(paths);
      const text = artifacts.map(({ path, bytes }) => `${sha256.toLowerCase()} ${bytes} ${path}\n`).join('');
      expect(manifest).toMatchObject({
        runId,
        totalBytes: 10,
        digest: createHash('sha256').update(text).digest('hex'),
        isComplete: true,
      });
    });
  });

  it('is the same for the same files, wherever they lie, and another for others', async () => {
    await training.run(freshTenant(), async (tx) => {
      const digestOf = async (artifact: { bytes?: number; sha256?: string; uri?: string; path?: string }) => {
        const { id: runId } = await createRun(tx, { name: 'r' });
        await recordArtifacts(tx, { runId, artifacts: [{ path: 'a', ...artifact }] });
        const { digest, isComplete } = await getManifest(tx, { runId });
        expect(isComplete).toBe('sha256' in artifact);
        return digest;
      };
      const digests = [
        await digestOf({ bytes: 1, sha256 }),
        await digestOf({ bytes: 1, sha256: 'b0'.repeat(32) }),
        await digestOf({ bytes: 2, sha256 }),
        await digestOf({ bytes: 1, sha256, path: 'b' }),
        await digestOf({ bytes: 1 }),
        await digestOf({}),
      ];
      expect(new Set(digests).size).toBe(digests.length);
      expect(await digestOf({ bytes: 1, sha256, uri: 's3://elsewhere' })).toBe(digests[0]);
    });
  });

  it('of a run that has put out nothing is empty', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      const empty = createHash('sha256').update('').digest('hex');
      expect(await getManifest(tx, { runId })).toMatchObject({ artifacts: [], totalBytes: 0, digest: empty });
      await deleteRun(tx, { runId });
      expect((await refusalOf(getManifest(tx, { runId }))).code).toBe('not_found');
    });
  });
});
