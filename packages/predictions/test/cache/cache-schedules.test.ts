import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Database, isDomainError } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  flushCacheUsage,
  getCacheStats,
  invalidateCache,
  pruneCache,
  removeCachePolicy,
  setCachePolicy,
  withCache,
} from '../../src/index.ts';
import { markedVersion, storedEntries } from '../support/cache-world.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
let pools: readonly Database[] = [];
beforeAll(async () => {
  pools = await Promise.all(
    [1, 2, 3].map(() => connect({ url: predictions.serviceUrl, max: 4, lockTimeoutMs: 10_000 })),
  );
});
afterAll(async () => {
  await Promise.all(pools.map((db) => db.close()));
});

interface Ask {
  readonly kind: 'ask';
  readonly input: number;
  readonly takesMs: number;
  readonly fails: boolean;
  /** All leases have ended for it: it takes the place of whoever computes. */
  readonly isLate: boolean;
}
type Step = Ask | { readonly kind: 'invalidate' | 'undo' | 'prune' | 'evict' | 'remark' };

const asked: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('ask'),
  input: fc.integer({ min: 0, max: 2 }),
  takesMs: fc.integer({ min: 0, max: 5 }),
  fails: fc.constantFrom(true, false, false, false),
  isLate: fc.constantFrom(true, false, false, false),
});
const other: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('invalidate', 'invalidate', 'undo', 'prune', 'evict', 'remark'),
});
const schedule = fc.array(
  fc.array(fc.oneof({ weight: 5, arbitrary: asked }, { weight: 1, arbitrary: other }), { minLength: 5, maxLength: 25 }),
  { minLength: 6, maxLength: 6 },
);

class ComputeFailure extends Error {}
const far = () => new Date('2100-01-01Z');

/** Six workers of three pools do what they are told, at the same time; what they have seen is held against what may be. */
async function play(workers: readonly (readonly Step[])[]): Promise<void> {
  const tenant = freshTenant();
  const versionId = await markedVersion(predictions.db, tenant, { maxEntries: 2 });
  const invalidations = { begun: 0, done: 0 };
  let [answered, isRemarked] = [0, false];
  const wrong: unknown[] = [];
  const ask = async (db: Database, { input, takesMs, fails, isLate }: Ask) => {
    const least = invalidations.done;
    const compute = async () => {
      const made = { input, begun: invalidations.begun };
      await pause(takesMs);
      if (fails) throw new ComputeFailure();
      return made;
    };
    const { output } = await withCache(db, tenant, { versionId, input, compute }, isLate ? { now: far } : {});
    answered += 1;
    if (output.input !== input || output.begun < least) wrong.push({ output, input, least });
  };
  const invalidate = async (undone: boolean) => {
    const undo = new Error('undo');
    await predictions
      .run(tenant, async (tx) => {
        await invalidateCache(tx, { versionId });
        if (undone) throw undo;
        invalidations.begun += 1;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    if (!undone) invalidations.done += 1;
  };
  const run = async (db: Database, step: Step) => {
    if (step.kind === 'ask') await ask(db, step);
    else if (step.kind === 'prune') await pruneCache(db, tenant, {}, { now: far });
    else if (step.kind === 'evict') await pruneCache(db, tenant, { batchSize: 1 });
    else if (step.kind === 'remark') {
      isRemarked = true;
      await predictions.run(tenant, (tx) => removeCachePolicy(tx, { versionId }));
      await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true, maxEntries: 2 }));
    } else await invalidate(step.kind === 'undo');
  };
  await Promise.all(
    workers.map(async (steps, worker) => {
      const db = pools[worker % pools.length] ?? predictions.db;
      for (const step of steps) {
        await run(db, step).catch((error: unknown) => {
          const isRefused = isDomainError(error, 'failed_precondition') && isRemarked;
          if (!(error instanceof ComputeFailure) && !isRefused) throw error;
        });
      }
    }),
  );
  expect(wrong).toEqual([]);
  // Whoever claimed has stored, given up, or was replaced by one who did.
  expect((await storedEntries(predictions.db, tenant)).filter(({ status }) => status === 'computing')).toEqual([]);
  await Promise.all(pools.map((db) => flushCacheUsage(db)));
  const stats = await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
  if (!isRemarked) expect(stats.hits + stats.misses).toBe(answered);
  await pruneCache(predictions.db, tenant);
  const left = await storedEntries(predictions.db, tenant);
  expect(left.length).toBeLessThanOrEqual(2);
}

describe('under any schedule of six workers of three processes', () => {
  it('nobody gets what was computed before an invalidation that came before the call, and nothing is left behind', async () => {
    await fc.assert(fc.asyncProperty(schedule, play), { numRuns: 40 });
  }, 120_000);
});
