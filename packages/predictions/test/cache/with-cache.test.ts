import { connect, type Id, withTenant } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion, setAlias, transitionStage } from '@mcp-hub/registry';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  flushCacheUsage,
  getCacheStats,
  invalidateCache,
  PREDICTION_LIMITS,
  removeCachePolicy,
  setCachePolicy,
  withCache,
} from '../../src/index.ts';
import { markedVersion, storedEntries } from '../support/cache-world.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const unused = () => {
  throw new Error('It was computed.');
};
const statsOf = async (tenant: string, versionId: string) => {
  await flushCacheUsage(predictions.db);
  return await predictions.run(tenant, (tx) => getCacheStats(tx, { versionId }));
};

describe('withCache', () => {
  it('computes an output once and gives it to all who ask later', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const ask = (input: unknown, compute: () => unknown) =>
      withCache(predictions.db, tenant, { versionId, input, compute });
    const told: unknown[] = [];
    const first = await withCache(predictions.db, tenant, {
      versionId,
      input: { b: 1, a: [0, 'x'] },
      compute: ({ versionId: named, signal }) => {
        told.push(named, signal.aborted);
        return { score: 0.25 };
      },
    });
    expect(told).toEqual([versionId, false]);
    expect(first).toEqual({ output: { score: 0.25 }, versionId, isHit: false, isStored: true });
    const second = await ask({ a: [-0, 'x'], b: 1 }, unused);
    expect(second).toEqual({ output: { score: 0.25 }, versionId, isHit: true, isStored: true });
    expect(await failureOf(ask({ a: [0, 'x'], b: 2 }, unused))).toMatchObject({ message: 'It was computed.' });
  });

  it('keeps outputs of versions, inputs and parameters apart', async () => {
    const tenant = freshTenant();
    const versions = [await markedVersion(predictions.db, tenant), await markedVersion(predictions.db, tenant)];
    const calls = versions.flatMap((versionId) =>
      [{ input: 1 }, { input: '1' }, { input: 1, params: null }, { input: 1, params: { t: 1 } }].map((given) => ({
        versionId,
        ...given,
      })),
    );
    const ask = (compute: (index: number) => unknown) =>
      Promise.all(
        calls.map((given, index) => withCache(predictions.db, tenant, { ...given, compute: () => compute(index) })),
      );
    await ask((index) => index);
    expect((await ask(unused)).map(({ output }) => output)).toEqual(calls.map((_, index) => index));
  });

  it('gives whoever computed what whoever reads gets: JSON, byte for byte, and a copy each', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const outputs: readonly unknown[] = [
      null,
      false,
      '',
      'NUL \u0000, 𝄞',
      [1e-320, 1.7976931348623157e308, 0.1 + 0.2],
      { z: 1, a: { m: [] } },
      JSON.parse('{"__proto__":1,"b":2}'),
    ];
    for (const [input, output] of outputs.entries()) {
      const computed = await withCache(predictions.db, tenant, { versionId, input, compute: () => output });
      const read = await withCache(predictions.db, tenant, { versionId, input, compute: unused });
      expect(computed.isHit).toBe(false);
      expect(JSON.stringify(computed.output)).toBe(JSON.stringify(output));
      expect(JSON.stringify(read.output)).toBe(JSON.stringify(output));
    }
    const zero = { versionId, input: 'zero', compute: () => -0 };
    const [computed, read] = [
      await withCache(predictions.db, tenant, zero),
      await withCache(predictions.db, tenant, zero),
    ];
    expect([Object.is(computed.output, 0), Object.is(read.output, 0)]).toEqual([true, true]);
    const shared = { versionId, input: 'shared', compute: () => ({ list: [1] }) };
    const [one, other] = await Promise.all([
      withCache(predictions.db, tenant, shared),
      withCache(predictions.db, tenant, shared),
    ]);
    one.output.list.push(2);
    expect(other.output).toEqual({ list: [1] });
  });

  it('refuses a version that is not marked deterministic, and says how to mark it', async () => {
    const tenant = freshTenant();
    const { id: versionId } = await predictions.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    const ask = () => withCache(predictions.db, tenant, { versionId, input: 1, compute: unused });
    const refused = await refusalOf(ask());
    expect(refused).toMatchObject({ code: 'failed_precondition', details: { reason: 'not_deterministic' } });
    expect(refused.message).toContain('setCachePolicy(tx, { …, deterministic: true })');
    const unmarked = { versionId } as unknown as Parameters<typeof setCachePolicy>[1];
    const mark = (input: typeof unmarked) => predictions.run(tenant, (tx) => setCachePolicy(tx, input));
    expect(await refusalOf(mark(unmarked))).toMatchObject({
      code: 'invalid_input',
      details: { field: 'deterministic' },
    });
    expect(await refusalOf(mark({ ...unmarked, deterministic: false as true }))).toMatchObject({
      code: 'invalid_input',
    });
    await mark({ versionId, deterministic: true });
    await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => 1 });
    expect((await ask()).output).toBe(1);
    expect(await predictions.run(tenant, (tx) => removeCachePolicy(tx, { versionId }))).toBe(true);
    expect(await predictions.run(tenant, (tx) => removeCachePolicy(tx, { versionId }))).toBe(false);
    expect(await refusalOf(ask())).toMatchObject({ code: 'failed_precondition' });
    expect(await storedEntries(predictions.db, tenant)).toEqual([]);
  });

  it('follows names, aliases and stages, and refuses what is not there or deleted', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    await predictions.run(tenant, async (tx) => {
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '1' });
      await transitionStage(tx, { name: 'churn', version: '1', stage: 'staging' });
    });
    await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => 'kept' });
    for (const subject of [
      { name: 'churn', version: '1' },
      { reference: 'churn@champion' },
      { reference: 'churn/1' },
      { reference: 'churn:staging' },
    ]) {
      const { output, isHit } = await withCache(predictions.db, tenant, { ...subject, input: 1, compute: unused });
      expect([output, isHit]).toEqual(['kept', true]);
    }
    const refusals = [{ reference: 'churn@nobody' }, { name: 'churn', version: '2' }, { name: 'churn' }, {}].map(
      async (subject) =>
        (await refusalOf(withCache(predictions.db, tenant, { ...subject, input: 1, compute: unused }))).code,
    );
    expect(await Promise.all(refusals)).toEqual(['not_found', 'not_found', 'invalid_input', 'invalid_input']);
    await predictions.run(tenant, (tx) => deleteVersion(tx, { name: 'churn', version: '1' }));
    const asked = withCache(predictions.db, tenant, { versionId, input: 1, compute: unused });
    expect(await refusalOf(asked)).toMatchObject({ code: 'not_found' });
    // Its mark can still be taken, so that it can be erased.
    const erase = () =>
      predictions.run(tenant, (tx) => deleteVersion(tx, { name: 'churn', version: '1', permanently: true }));
    expect(await refusalOf(erase())).toMatchObject({ code: 'failed_precondition' });
    expect(await predictions.run(tenant, (tx) => removeCachePolicy(tx, { versionId }))).toBe(true);
    await erase();
  });

  it('refuses input that is no JSON before anything else, with its path', async () => {
    const refused = async (given: { input: unknown; params?: unknown }) => {
      const asked = withCache(predictions.db, freshTenant(), { reference: 'no@where', ...given, compute: unused });
      const { code, details } = await refusalOf(asked);
      return [code, details['field']];
    };
    expect(await refused({ input: undefined })).toEqual(['invalid_input', 'input']);
    expect(await refused({ input: [{ at: new Date() }] })).toEqual(['invalid_input', 'input[0]{1}']);
    expect(await refused({ input: 1, params: { t: Number.NaN } })).toEqual(['invalid_input', 'params{1}']);
    expect(await refused({ input: 'a'.repeat(PREDICTION_LIMITS.cacheInputBytes) })).toEqual(['invalid_input', 'input']);
  });

  it('serves an output until its time is over', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant, { ttlMs: 60_000 });
    let computed = 0;
    const ask = async (seconds: number) => {
      const now = () => new Date(Date.UTC(2030, 0, 1, 0, 0, seconds));
      const compute = () => (computed += 1);
      return (await withCache(predictions.db, tenant, { versionId, input: 1, compute }, { now })).output;
    };
    expect([await ask(0), await ask(59), await ask(60), await ask(61), await ask(119), await ask(120)]).toEqual([
      1, 1, 2, 2, 2, 3,
    ]);
    // A new time holds for what is stored from then on.
    await predictions.run(tenant, (tx) => setCachePolicy(tx, { versionId, deterministic: true }));
    expect([await ask(179), await ask(180), await ask(1e6)]).toEqual([3, 4, 4]);
  });

  it('holds no connection while it computes', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const single = await connect({ url: predictions.serviceUrl, max: 1, acquireTimeoutMs: 1_000 });
    try {
      const compute = async () => {
        const [row] = await withTenant(single, tenant, (tx) => tx.execute<{ one: number }>(sql`select 1 as one`));
        return row?.one;
      };
      expect(await withCache(single, tenant, { versionId, input: 1, compute })).toMatchObject({
        output: 1,
        isStored: true,
      });
    } finally {
      await single.close();
    }
  });

  it('gives what compute throws to who waits in the process, keeps nothing, and frees the place at once', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const broken = new RangeError('The model is down.');
    let computed = 0;
    const isWaited = barrier();
    const ask = () =>
      withCache(predictions.db, tenant, {
        versionId,
        input: 1,
        compute: async () => {
          computed += 1;
          await isWaited.passed;
          throw broken;
        },
      });
    const asked = Array.from({ length: 10 }, () => failureOf(ask()));
    await expect.poll(() => computed).toBe(1);
    setTimeout(() => isWaited.open(), 100);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([broken]));
    expect(computed).toBe(1);
    expect(await storedEntries(predictions.db, tenant)).toEqual([]);
    expect(await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => 1 })).toMatchObject({
      output: 1,
      isHit: false,
    });
  });

  it('has one who waits in another process compute where a computation fails', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const other = await connect({ url: predictions.serviceUrl, max: 2 });
    try {
      const [isComputing, mayFail] = [barrier(), barrier()];
      const failing = withCache(predictions.db, tenant, {
        versionId,
        input: 1,
        compute: async () => {
          isComputing.open();
          await mayFail.passed;
          throw new Error('It went wrong.');
        },
      });
      const failed = failureOf(failing);
      await isComputing.passed;
      const waiting = withCache(other, tenant, { versionId, input: 1, compute: () => 'mine' });
      setTimeout(() => mayFail.open(), 50);
      expect(await failed).toMatchObject({ message: 'It went wrong.' });
      expect(await waiting).toMatchObject({ output: 'mine', isHit: false, isStored: true });
    } finally {
      await other.close();
    }
  });

  it('ends by its signal: who waits at once, and the others go on where it was the one who computes', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const [isComputing, mayEnd] = [barrier(), barrier()];
    const [stopLeader, stopWaiter] = [new AbortController(), new AbortController()];
    const ask = (compute: (call: { signal: AbortSignal }) => unknown, signal?: AbortSignal) =>
      withCache(predictions.db, tenant, { versionId, input: 1, compute, ...(signal ? { signal } : {}) });
    const leading = failureOf(
      ask(async ({ signal }) => {
        isComputing.open();
        await mayEnd.passed;
        signal.throwIfAborted();
        return 'never';
      }, stopLeader.signal),
    );
    await isComputing.passed;
    const waiting = failureOf(ask(unused, stopWaiter.signal));
    const following = Array.from({ length: 5 }, (_, index) => ask(() => `by ${index}`));
    stopWaiter.abort(new Error('I have no time.'));
    expect(await waiting).toMatchObject({ message: 'I have no time.' });
    stopLeader.abort(new Error('The request is gone.'));
    mayEnd.open();
    expect(await leading).toMatchObject({ message: 'The request is gone.' });
    const followed = await Promise.all(following);
    expect(new Set(followed.map(({ output }) => output)).size).toBe(1);
    expect(followed.filter(({ isHit }) => !isHit)).toHaveLength(1);
    const late = ask(unused, AbortSignal.abort(new Error('Too late.')));
    expect(await failureOf(late)).toMatchObject({ message: 'Too late.' });
  });

  it('returns an output that is too large and does not keep it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const small = await markedVersion(predictions.db, tenant, { maxBytes: 10 });
    const ask = (version: string, length: number) =>
      withCache(predictions.db, tenant, { versionId: version, input: length, compute: () => 'é'.repeat(length / 2) });
    const limit = PREDICTION_LIMITS.cacheOutputBytes;
    for (const [version, length, isStored] of [
      [versionId, limit - 2, true],
      [versionId, limit, false],
      [small, 8, true],
      [small, 10, false],
    ] as const) {
      const { output, ...how } = await ask(version, length);
      expect(Buffer.byteLength(output)).toBe(length);
      expect(how).toMatchObject({ isHit: false, isStored });
      expect(await ask(version, length)).toMatchObject({ isHit: isStored });
    }
    expect(await storedEntries(predictions.db, tenant)).toHaveLength(2);
  });

  it('refuses an output that is no JSON, and frees the place', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const asked = withCache(predictions.db, tenant, {
      versionId,
      input: 1,
      compute: () => ({ scores: [0.5, Number.NaN] }),
    });
    expect(await refusalOf(asked)).toMatchObject({ code: 'invalid_input', details: { field: 'output{1}[1]' } });
    expect(await storedEntries(predictions.db, tenant)).toEqual([]);
  });

  it('returns what the database cannot take in that moment, and does not keep it', async () => {
    const tenant = freshTenant();
    const versionId = await markedVersion(predictions.db, tenant);
    const impatient = await connect({ url: predictions.serviceUrl, lockTimeoutMs: 50 });
    const isOver = barrier();
    let holder: Promise<void> = isOver.passed;
    const compute = async () => {
      const isHeld = barrier();
      holder = predictions.run(tenant, async (tx) => {
        await tx.execute(sql`select from prediction_cache for update`);
        isHeld.open();
        await isOver.passed;
      });
      await isHeld.passed;
      return 1;
    };
    try {
      expect(await withCache(impatient, tenant, { versionId, input: 1, compute })).toMatchObject({
        output: 1,
        isStored: false,
      });
    } finally {
      isOver.open();
      await holder;
      await impatient.close();
    }
  });
});

describe('invalidateCache', () => {
  it('ends the outputs of one version at once, and no others', async () => {
    const tenant = freshTenant();
    const [one, other] = [await markedVersion(predictions.db, tenant), await markedVersion(predictions.db, tenant)];
    const ask = async (versionId: string, output: string) =>
      (await withCache(predictions.db, tenant, { versionId, input: 1, compute: () => output })).output;
    await ask(one, 'before');
    await ask(other, 'before');
    expect(await predictions.run(tenant, (tx) => invalidateCache(tx, { versionId: one }))).toBe(true);
    expect(await statsOf(tenant, one)).toMatchObject({ entries: 0, bytes: 0, staleEntries: 1 });
    expect([await ask(one, 'after'), await ask(other, 'after')]).toEqual(['after', 'before']);
    expect(await statsOf(tenant, one)).toMatchObject({ entries: 1, bytes: 7, staleEntries: 0 });
  });

  it('says where there is nothing to invalidate, and what is not there', async () => {
    const tenant = freshTenant();
    await predictions.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    const invalidate = (reference: string) => predictions.run(tenant, (tx) => invalidateCache(tx, { reference }));
    expect(await invalidate('churn/1')).toBe(false);
    expect(await refusalOf(invalidate('churn/2'))).toMatchObject({ code: 'not_found' });
  });

  it('goes with an alias move: readers see the old alias and its outputs, or the new one without what was there', async () => {
    const tenant = freshTenant();
    await markedVersion(predictions.db, tenant);
    await markedVersion(predictions.db, tenant);
    const point = { name: 'churn', alias: 'champion' };
    await predictions.run(tenant, (tx) => setAlias(tx, { ...point, version: '1' }));
    const ask = async (reference: string, output: string) =>
      (await withCache(predictions.db, tenant, { reference, input: 1, compute: () => output })).output;
    await ask('churn/1', 'old champion');
    await ask('churn/2', 'of a trial');
    const [isMoved, mayCommit] = [barrier(), barrier()];
    const move = (end: () => Promise<void>) =>
      predictions.run(tenant, async (tx) => {
        await setAlias(tx, { ...point, version: '2' });
        await invalidateCache(tx, { reference: 'churn@champion' });
        await end();
      });
    await failureOf(move(() => Promise.reject(new Error('undone'))));
    expect([await ask('churn@champion', 'new'), await ask('churn/2', 'new')]).toEqual(['old champion', 'of a trial']);
    const moving = move(async () => {
      isMoved.open();
      await mayCommit.passed;
    });
    await isMoved.passed;
    expect([await ask('churn@champion', 'new'), await ask('churn/2', 'new')]).toEqual(['old champion', 'of a trial']);
    mayCommit.open();
    await moving;
    expect(await ask('churn@champion', 'new champion')).toBe('new champion');
    expect(await ask('churn/1', 'never')).toBe('old champion');
  });

  it('no reader ever sees the one without the other, while aliases move all the time', async () => {
    const tenant = freshTenant();
    const versions = [await markedVersion(predictions.db, tenant), await markedVersion(predictions.db, tenant)];
    const point = { name: 'churn', alias: 'champion' };
    await predictions.run(tenant, (tx) => setAlias(tx, { ...point, version: '1' }));
    // What is computed for a version says how many invalidations of it were about to commit by then. A reader must not get
    // less than had committed when it began.
    const counted = new Map(versions.map((versionId) => [versionId, { begun: 0, done: 0 }]));
    const countOf = (versionId: Id<'ModelVersion'> | undefined) => {
      const count = versionId === undefined ? undefined : counted.get(versionId);
      if (count === undefined) throw new Error('It is of another version.');
      return count;
    };
    let isOver = false;
    const wrong: unknown[] = [];
    const read = async () => {
      while (!isOver) {
        const least = new Map(versions.map((versionId) => [versionId, countOf(versionId).done]));
        const { output, versionId } = await withCache(predictions.db, tenant, {
          reference: 'churn@champion',
          input: 1,
          compute: (call) => countOf(call.versionId).begun,
        });
        if (output < (least.get(versionId) ?? Number.NaN)) wrong.push([output, least.get(versionId)]);
      }
    };
    const readers = Array.from({ length: 4 }, read);
    for (let round = 1; round <= 30; round += 1) {
      const count = countOf(versions[round % 2]);
      await predictions.run(tenant, async (tx) => {
        await setAlias(tx, { ...point, version: String((round % 2) + 1) });
        await invalidateCache(tx, { reference: 'churn@champion' });
        count.begun += 1;
      });
      count.done += 1;
    }
    isOver = true;
    await Promise.all(readers);
    expect(wrong).toEqual([]);
  });
});
