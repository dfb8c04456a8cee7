import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Database, scheduleWork } from '@mcp-hub/db-core';
import { barrier, freshTenant, type Program, startProgram } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  flushCacheUsage,
  getCacheStats,
  invalidateCache,
  removeCachePolicy,
  setCachePolicy,
  withCache,
} from '../../src/index.ts';
import { markedVersion, storedEntries } from '../support/cache-world.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();

/** A second pool shares nothing with the first, as another process. */
let other: Database;
beforeAll(async () => {
  other = await connect({ url: predictions.serviceUrl, max: 4 });
});
afterAll(() => other.close());

const later = () => new Date('2100-01-01Z');
const unused = () => {
  throw new Error('It was computed.');
};

async function startService(
  tenant: string,
  versionId: string,
  environment: Readonly<Record<string, string>>,
): Promise<Program> {
  const program = startProgram({
    file: new URL('../programs/compute-cached.ts', import.meta.url),
    environment: { SERVICE_URL: predictions.serviceUrl, TENANT: tenant, VERSION_ID: versionId, ...environment },
  });
  expect(await program.nextLine()).toBe('ready');
  return program;
}

const begin = (tenant: string) => predictions.run(tenant, (tx) => scheduleWork(tx, { kind: 'test.begin' }));

/** What a program has got, and how many it has computed before that. */
async function readEnd(program: Program) {
  for (let computed = 0; ; computed += 1) {
    const line = await program.nextLine();
    if (line !== 'computing') {
      const got = JSON.parse(line) as { output: { by: number; key: number }; isHit: boolean; isStored: boolean }[];
      return { computed, got };
    }
  }
}

describe('several processes', () => {
  it('compute once what 100 calls of four of them miss at the same time', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const services = await Promise.all([1, 2, 3, 4].map(() => startService(tenant, versionId, { CALLS: '25' })));
    await begin(tenant);
    const ends = await Promise.all(services.map(readEnd));
    expect(ends.reduce((sum, { computed }) => sum + computed, 0)).toBe(1);
    const got = ends.flatMap((end) => end.got);
    expect(got).toHaveLength(100);
    expect(new Set(got.map(({ output }) => output.by)).size).toBe(1);
    expect(got.filter(({ isHit }) => !isHit)).toHaveLength(1);
    expect(await Promise.all(services.map(({ ended }) => ended))).toEqual(
      services.map(() => ({ exitCode: 0, signal: null })),
    );
  }, 60_000);

  it('compute each of ten keys once', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const services = await Promise.all(
      [1, 2, 3].map(() => startService(tenant, versionId, { CALLS: '50', KEYS: '10' })),
    );
    await begin(tenant);
    const ends = await Promise.all(services.map(readEnd));
    expect(ends.reduce((sum, { computed }) => sum + computed, 0)).toBe(10);
    const pairs = ends.flatMap(({ got }) => got.map(({ output }) => `${output.key} ${output.by}`));
    expect(new Set(pairs).size).toBe(10);
  }, 60_000);

  it('take over from one that was killed while it computed, when its lease has ended', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const service = await startService(tenant, versionId, { HANG: 'yes', LEASE_MS: '1000' });
    await begin(tenant);
    expect(await service.nextLine()).toBe('computing');
    service.signal('SIGKILL');
    await service.ended;
    const calls = Array.from({ length: 10 }, () =>
      withCache(predictions.db, tenant, { versionId, input: { key: 0 }, compute: () => 'taken over' }),
    );
    expect(new Set((await Promise.all(calls)).map(({ output }) => output))).toEqual(new Set(['taken over']));
    expect(await storedEntries(predictions.db, tenant)).toMatchObject([{ status: 'ready', output: '"taken over"' }]);
  }, 60_000);

  it('keep what another has stored when one that stood still comes back, which still gets what it computed', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const service = await startService(tenant, versionId, { STAND_STILL: 'yes' });
    await begin(tenant);
    expect(await service.nextLine()).toBe('computing');
    const call = { versionId, input: { key: 0 }, compute: () => 'the other' };
    expect(await withCache(predictions.db, tenant, call, { now: later })).toMatchObject({
      isHit: false,
      isStored: true,
    });
    const stored = await storedEntries(predictions.db, tenant);
    service.signal('SIGCONT');
    const { got } = await readEnd(service);
    expect(got).toMatchObject([{ output: { key: 0 }, isHit: false, isStored: false }]);
    expect(await storedEntries(predictions.db, tenant)).toEqual(stored);
    expect(await withCache(predictions.db, tenant, { ...call, compute: unused })).toMatchObject({
      output: 'the other',
    });
  }, 60_000);
});

describe('a computation', () => {
  it('holds its place for longer than its lease', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const mayEnd = barrier();
    const long = withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      leaseMs: 1_000,
      compute: async () => {
        await mayEnd.passed;
        return 'long';
      },
    });
    await expect.poll(() => storedEntries(other, tenant)).toHaveLength(1);
    const [began] = await storedEntries(other, tenant);
    const waiting = withCache(other, tenant, { versionId, input: 1, compute: unused });
    await expect
      .poll(async () => (await storedEntries(other, tenant))[0]?.expires, { timeout: 20_000 })
      .toBeGreaterThan((began?.expires ?? 0) + 1_000);
    mayEnd.open();
    expect(await Promise.all([long, waiting])).toMatchObject([
      { output: 'long', isHit: false },
      { output: 'long', isHit: true },
    ]);
  }, 30_000);

  it('is not stored over that of another who took its place and still computes', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isSlow, mayEndSlow, isNext, mayEndNext] = [barrier(), barrier(), barrier(), barrier()];
    const slow = withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      compute: async () => {
        isSlow.open();
        await mayEndSlow.passed;
        return 'slow';
      },
    });
    await isSlow.passed;
    const next = withCache(
      other,
      tenant,
      {
        versionId,
        input: 1,
        compute: async () => {
          isNext.open();
          await mayEndNext.passed;
          return 'next';
        },
      },
      { now: later },
    );
    await isNext.passed;
    mayEndSlow.open();
    expect(await slow).toMatchObject({ output: 'slow', isStored: false });
    expect(await storedEntries(predictions.db, tenant)).toMatchObject([{ status: 'computing' }]);
    mayEndNext.open();
    expect(await next).toMatchObject({ output: 'next', isStored: true });
  });

  it('that was only late is stored where nobody took its place', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    let now = new Date('2030-01-01Z');
    const call = {
      versionId,
      input: 1,
      compute: () => {
        now = later();
        return 1;
      },
    };
    expect(await withCache(predictions.db, tenant, call, { now: () => now })).toMatchObject({ isStored: true });
  });

  it('is not stored where the version was invalidated meanwhile, and whoever asks then does not wait for it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    for (const next of [predictions.db, other]) {
      const [isComputing, mayEnd] = [barrier(), barrier()];
      const early = withCache(predictions.db, tenant, {
        versionId,
        input: 1,
        compute: async () => {
          isComputing.open();
          await mayEnd.passed;
          return 'early';
        },
      });
      await isComputing.passed;
      await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId }));
      const fresh = await withCache(next, tenant, { versionId, input: 1, compute: () => 'fresh' });
      expect(fresh).toMatchObject({ output: 'fresh', isHit: false, isStored: true });
      mayEnd.open();
      expect(await early).toMatchObject({ output: 'early', isStored: false });
      expect(await storedEntries(predictions.db, tenant)).toMatchObject([{ output: '"fresh"' }]);
      await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId }));
    }
  });

  it('leaves nothing behind where it was invalidated and nobody asked since', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const compute = async () => {
      await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId }));
      return 1;
    };
    expect(await withCache(predictions.db, tenant, { versionId, input: 1, compute })).toMatchObject({
      isStored: false,
    });
    expect(await storedEntries(predictions.db, tenant)).toEqual([]);
  });

  it('that is stored while an invalidation is about to commit serves nobody after it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isInvalidated, mayCommit] = [barrier(), barrier()];
    let invalidating: Promise<void> = mayCommit.passed;
    const early = await withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      compute: async () => {
        invalidating = predictions.run(tenant, async (tx) => {
          await invalidateCache(tx, { versionId });
          isInvalidated.open();
          await mayCommit.passed;
        });
        await isInvalidated.passed;
        return 'early';
      },
    });
    expect(early).toMatchObject({ output: 'early', isStored: true });
    const ask = () => withCache(other, tenant, { versionId, input: 1, compute: () => 'fresh' });
    expect((await ask()).output).toBe('early');
    mayCommit.open();
    await invalidating;
    expect((await ask()).output).toBe('fresh');
  });

  it('is not stored where the mark was taken away, nor under the next mark', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isComputing, mayEnd] = [barrier(), barrier()];
    const early = withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      compute: async () => {
        isComputing.open();
        await mayEnd.passed;
        return 'early';
      },
    });
    await isComputing.passed;
    const waiting = refusalOf(withCache(other, tenant, { versionId, input: 1, compute: unused }));
    await predictions.run(tenant, (tx) => removeCachePolicy(tx, { versionId }));
    expect(await waiting).toMatchObject({ code: 'failed_precondition', details: { reason: 'not_deterministic' } });
    await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true }));
    const [isNext, mayEndNext] = [barrier(), barrier()];
    const next = withCache(other, tenant, {
      versionId,
      input: 1,
      compute: async () => {
        isNext.open();
        await mayEndNext.passed;
        return 'next';
      },
    });
    await isNext.passed;
    mayEnd.open();
    expect(await early).toMatchObject({ output: 'early', isStored: false });
    mayEndNext.open();
    expect(await next).toMatchObject({ output: 'next', isStored: true });
  });

  it('from before an invalidation is joined by nobody, also where the mark was made anew since', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isComputing, mayEnd] = [barrier(), barrier()];
    const early = withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      compute: async () => {
        isComputing.open();
        await mayEnd.passed;
        return 'early';
      },
    });
    await isComputing.passed;
    await predictions.run(tenant, async (tx) => {
      await invalidateCache(tx, { versionId });
      await removeCachePolicy(tx, { versionId });
      await setCachePolicy(tx, { versionId, deterministic: true });
    });
    const fresh = await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => 'fresh' });
    expect(fresh).toMatchObject({ output: 'fresh', isStored: true });
    mayEnd.open();
    expect(await early).toMatchObject({ output: 'early', isStored: false });
  });

  it('whose place waits for a removal of the mark is refused, and not by the foreign key', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isRemoved, mayCommit] = [barrier(), barrier()];
    const removing = predictions.run(tenant, async (tx) => {
      await removeCachePolicy(tx, { versionId });
      isRemoved.open();
      await mayCommit.passed;
    });
    await isRemoved.passed;
    const asked = refusalOf(withCache(other, tenant, { versionId, input: 1, compute: unused }));
    await expect
      .poll(async () => {
        const [row] = await predictions.run(tenant, (tx) =>
          tx.execute<{ waiting: number }>(sql`
            select count(*)::int as waiting from pg_locks where not granted and locktype = 'transactionid'`),
        );
        return row?.waiting;
      })
      .toBe(1);
    mayCommit.open();
    await removing;
    expect(await asked).toMatchObject({ code: 'failed_precondition', details: { reason: 'not_deterministic' } });
  });

  it('is counted once, and each call that was spared it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const calls = [predictions.db, other].flatMap((db) =>
      Array.from({ length: 10 }, () =>
        withCache(db, tenant, {
          versionId,
          input: 1,
          compute: async () => {
            await pause(50);
            return 1;
          },
        }),
      ),
    );
    await Promise.all(calls);
    await Promise.all([flushCacheUsage(predictions.db), flushCacheUsage(other)]);
    const stats = await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
    expect(stats).toMatchObject({ misses: 1, hits: 19, entries: 1 });
    expect(stats.savedMs).toBeGreaterThan(19 * 45);
  });
});
