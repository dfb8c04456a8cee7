import { isDomainError, isLeaseLost, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant, withinMs } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ClaimedChunk,
  cancelBatchJob,
  claimChunk,
  completeChunk,
  failChunk,
  getBatchJob,
  heartbeatChunk,
  listDeadLetters,
  pauseBatchJob,
  releaseChunk,
  resumeBatchJob,
  retryDeadLetters,
  setBatchLimit,
  sweepBatchJob,
} from '../../src/index.ts';
import { rowsOf, submitted } from '../support/batch-jobs.ts';
import { type Claim, LEASE_MS, makeReference, newJob, type Reference } from '../support/batch-reference.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const WORKERS = 8;
const START = Date.UTC(2026, 0, 1);
const at = (ms: number) => ({ now: new Date(START + ms) });

const chance = fc.integer({ min: 0, max: 1_000 });
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.constant('claim' as const) },
  { weight: 6, arbitrary: fc.constant('complete' as const) },
  { weight: 3, arbitrary: fc.constantFrom('fail' as const, 'release' as const, 'heartbeat' as const) },
  { weight: 1, arbitrary: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const, 'retry' as const) },
  { weight: 1, arbitrary: fc.constantFrom('retry' as const, 'cancel' as const, 'zombie' as const) },
  { weight: 2, arbitrary: fc.constant('zombie' as const) },
);
/** What one of the workers does, when, and with which of its leases or which job. */
const step = fc.record({
  worker: fc.integer({ min: 0, max: WORKERS - 1 }),
  do: operation,
  waitMs: fc.constantFrom(0, 0, 1, 500, 3_000, 11_000),
  which: chance,
  dead: fc.constantFrom(0, 0, 0, 1, 2),
});
const jobInput = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  chunkRows: fc.integer({ min: 1, max: 3 }),
  priority: fc.integer({ min: 0, max: 1 }),
  cap: fc.constantFrom(1, 2, 9),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
});
const world = fc.record({
  jobs: fc.array(jobInput, { minLength: 1, maxLength: 2 }),
  tenantCap: fc.constantFrom(1, 3, 99),
  steps: fc.array(step, { minLength: 20, maxLength: 60 }),
});
type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;
type Step = World['steps'][number];

async function makeWorld(tenant: string, { jobs, tenantCap }: Pick<World, 'jobs' | 'tenantCap'>) {
  if (tenantCap < 99) {
    await predictions.run(tenant, (tx) => setBatchLimit(tx, { maxRunningChunks: tenantCap }), at(0));
  }
  const ids: string[] = [];
  for (const { rows, cap, ...given } of jobs) {
    const caps = cap < 9 ? { maxRunningChunks: cap } : {};
    const input = { ...given, ...caps, rows: rowsOf(rows), backoff: { baseMs: 1_000, maxMs: 4_000 } };
    ids.push((await submitted(predictions.db, tenant, input, at(0).now)).jobId);
  }
  return ids;
}

const resultsOf = (chunk: Pick<ClaimedChunk, 'rows'>, dead: number) =>
  chunk.rows.map(({ row }, index) => (index < dead ? { error: 'poison' } : { score: row }));

const steer = {
  pause: (tx: TenantTx, jobId: string) => pauseBatchJob(tx, { jobId }),
  resume: (tx: TenantTx, jobId: string) => resumeBatchJob(tx, { jobId }),
  cancel: (tx: TenantTx, jobId: string) => cancelBatchJob(tx, { jobId }),
  retry: (tx: TenantTx, jobId: string) => retryDeadLetters(tx, { jobId }),
};

/** Undefined for a lease that was lost, or a move that is not legal. */
async function orRefused<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isLeaseLost(error) || isDomainError(error, 'failed_precondition')) return undefined;
    throw error;
  }
}

async function expectSame(tenant: string, ids: readonly string[], reference: Reference): Promise<void> {
  await predictions.run(tenant, async (tx) => {
    for (const [place, jobId] of ids.entries()) {
      const expected = reference.jobs[place];
      if (expected === undefined) throw new Error('There is no such job.');
      const { status, progress } = await getBatchJob(tx, { jobId });
      const letters = await listDeadLetters(tx, { jobId });
      const rows = await tx.execute<{ subject: string; count: number }>(sql`
        select subject, count(*)::int as count from predictions where batch_job_id = ${jobId}::uuid
         group by subject order by subject`);
      expect({
        status,
        rows: progress.rows,
        letters: letters.items.map(({ rowNumber }) => rowNumber),
        predicted: rows,
      }).toEqual({
        status: expected.status,
        rows: {
          total: expected.chunks.length === 0 ? 0 : progress.rows.total,
          succeeded: expected.predicted.size,
          dead: expected.dead.size,
          pending: progress.rows.total - expected.predicted.size - expected.dead.size,
        },
        letters: [...expected.dead].sort((a, b) => a - b),
        predicted: [...expected.predicted].map((row) => ({ subject: `s${row}`, count: 1 })).sort(bySubject),
      });
    }
  });
}

const bySubject = (one: { readonly subject: string }, other: { readonly subject: string }) =>
  one.subject < other.subject ? -1 : 1;

it('does what jobs in memory do, whatever 8 workers do one after the other', async () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(
      world,
      withinMs(15_000, async ({ steps, ...given }) => {
        const tenant = freshTenant();
        const ids = await makeWorld(tenant, given);
        const reference = makeReference(given.jobs.map(newJob), given.tenantCap);
        const held = Array.from({ length: WORKERS }, (): { claim: Claim; chunk: ClaimedChunk }[] => []);
        let now = 1_000;
        const run = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
          orRefused(withTenant(predictions.db, tenant, work, at(now)));

        const act = async ({ worker, do: what, which, dead }: Step) => {
          const own = held[worker] ?? [];
          const jobPlace = which % ids.length;
          const jobId = ids[jobPlace] ?? '';
          if (what === 'pause' || what === 'resume' || what === 'cancel' || what === 'retry') {
            const done = await run(async (tx) => [await steer[what](tx, jobId)]);
            expect([what, done !== undefined]).toEqual([what, reference.steer(jobPlace, what, now)]);
            return count(`${what} ${done === undefined ? 'refused' : 'done'}`);
          }
          if (what === 'claim') {
            const chunk = await run((tx) => claimChunk(tx, { leaseMs: LEASE_MS }));
            const claim = reference.claim(now);
            expect(
              chunk && [chunk.lease.jobId, chunk.lease.chunkNumber, chunk.attempt, chunk.rows.map(({ row }) => row)],
            ).toEqual(claim && [ids[claim.job], claim.chunk, claim.attempt, claim.rows]);
            if (chunk !== undefined && claim !== undefined) own.push({ claim, chunk });
            return count(`claim ${chunk === undefined ? 'nothing' : 'done'}`);
          }
          // Any lease that the worker ever had, or its last.
          const lease = what === 'zombie' ? own[which % Math.max(1, own.length)] : own.at(-1);
          if (lease === undefined) return;
          const { claim, chunk } = lease;
          switch (what) {
            case 'complete':
            case 'zombie': {
              const { rows, lease: of } = chunk;
              const done = await run((tx) => completeChunk(tx, { lease: of, rows, results: resultsOf(chunk, dead) }));
              const expected = reference.complete(claim, claim.rows.slice(0, dead));
              expect([what, done === undefined]).toEqual([what, expected === undefined]);
              return count(`${what} ${done === undefined ? 'lost' : 'done'}`);
            }
            case 'fail': {
              const failed = await run((tx) => failChunk(tx, { lease: chunk.lease, reason: 'r' }));
              const expected = reference.fail(claim);
              expect(failed && (failed.dead ? 'dead' : 'again')).toBe(expected);
              if (failed?.dueAt != null) {
                const due = failed.dueAt.getTime() - START;
                expect(due).toBeGreaterThan(now);
                expect(due).toBeLessThanOrEqual(now + 4_000);
                reference.setDue(claim, due);
              }
              return count(`fail ${expected ?? 'lost'}`);
            }
            case 'release': {
              const done = await run(async (tx) => [await releaseChunk(tx, { lease: chunk.lease })]);
              expect(done === undefined).toBe(reference.release(claim) === undefined);
              return count(`release ${done === undefined ? 'lost' : 'done'}`);
            }
            case 'heartbeat': {
              const beat = await run((tx) => heartbeatChunk(tx, { lease: chunk.lease, leaseMs: LEASE_MS }));
              expect(beat?.jobStatus).toBe(reference.heartbeat(claim, now));
              return count(`heartbeat ${beat === undefined ? 'lost' : 'done'}`);
            }
          }
        };
        for (const one of steps) {
          now += one.waitMs;
          await act(one);
        }
        await expectSame(tenant, ids, reference);
        // Every job that is let go on comes to its end.
        for (const place of ids.keys()) await act({ worker: 0, do: 'resume', which: place, waitMs: 0, dead: 0 });
        for (let turn = 0; turn < 200; turn += 1) {
          now += 11_000;
          await act({ worker: 0, do: 'claim', which: 0, waitMs: 0, dead: 0 });
          await act({ worker: 0, do: 'complete', which: 0, waitMs: 0, dead: 0 });
          if (reference.jobs.every(({ status }) => ['succeeded', 'failed', 'cancelled'].includes(status))) break;
        }
        expect(reference.jobs.map(({ status }) => ['succeeded', 'failed', 'cancelled'].includes(status))).not.toContain(
          false,
        );
        await expectSame(tenant, ids, reference);
        count('worlds');
      }),
    ),
    { numRuns: 200 },
  );
  // The schedules were what they are meant to be.
  expect(seen.get('worlds')).toBeGreaterThan(3);
  for (const what of ['complete done', 'zombie lost', 'fail again', 'fail dead', 'claim nothing', 'retry done']) {
    expect([what, seen.get(what) ?? 0]).not.toEqual([what, 0]);
  }
}, 90_000);

it('ends every job with one prediction a row, within the caps, whatever 8 workers do at the same time', async () => {
  let worlds = 0;
  let lost = 0;
  await fc.assert(
    fc.asyncProperty(
      world,
      fc.infiniteStream(chance),
      withinMs(15_000, async ({ steps, ...given }, dice) => {
        const tenant = freshTenant();
        const ids = await makeWorld(tenant, given);
        const die = () => dice.next().value ?? 0;
        let now = 1_000;
        let over = false;
        const run = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
          orRefused(withTenant(predictions.db, tenant, work, { ...at(now), retry: { attempts: 10 } }));
        const watchCaps = async () => {
          const most = given.jobs.map(({ cap }) => cap);
          while (!over) {
            const rows = await predictions.run(tenant, (tx) =>
              tx.execute<{ job_id: string; count: number }>(sql`
              select job_id, count(*)::int as count from batch_job_chunks where status = 'running' group by job_id`),
            );
            for (const { job_id, count } of rows) expect(count).toBeLessThanOrEqual(most[ids.indexOf(job_id)] ?? 0);
            expect(rows.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(given.tenantCap);
          }
        };
        const worker = async (own: readonly Step[]) => {
          const leases: ClaimedChunk[] = [];
          for (const { do: what, waitMs, which, dead } of own) {
            now += waitMs;
            const jobId = ids[which % ids.length] ?? '';
            const chunk = what === 'zombie' ? leases[which % Math.max(1, leases.length)] : leases.at(-1);
            if (what === 'claim') {
              const claimed = await run((tx) => claimChunk(tx, { leaseMs: LEASE_MS }));
              if (claimed !== undefined) leases.push(claimed);
            } else if (what === 'pause' || what === 'resume' || what === 'cancel' || what === 'retry') {
              await run(async (tx) => [await steer[what](tx, jobId)]);
            } else if (die() % 10 === 0) await run((tx) => sweepBatchJob(tx, { jobId }));
            else if (chunk === undefined) continue;
            else if (what === 'complete' || what === 'zombie') {
              const { lease, rows } = chunk;
              const done = await run((tx) => completeChunk(tx, { lease, rows, results: resultsOf(chunk, dead) }));
              if (done === undefined) lost += 1;
            } else if (what === 'fail') await run((tx) => failChunk(tx, { lease: chunk.lease, reason: 'r' }));
            else if (what === 'release') await run(async (tx) => [await releaseChunk(tx, { lease: chunk.lease })]);
            else await run((tx) => heartbeatChunk(tx, { lease: chunk.lease, leaseMs: LEASE_MS }));
          }
        };
        const watching = watchCaps();
        await Promise.all(
          Array.from({ length: WORKERS }, (_, place) => worker(steps.filter((one) => one.worker === place))),
        ).finally(() => {
          over = true;
        });
        await watching;
        for (const jobId of ids) await run((tx) => steer.resume(tx, jobId));
        const drain = async () => {
          for (let turn = 0; turn < 100; turn += 1) {
            now += 11_000;
            const chunk = await run((tx) => claimChunk(tx, { leaseMs: LEASE_MS }));
            if (chunk === undefined) continue;
            await run((tx) =>
              completeChunk(tx, { lease: chunk.lease, rows: chunk.rows, results: resultsOf(chunk, 0) }),
            );
          }
        };
        await drain();
        await predictions.run(tenant, async (tx) => {
          for (const [place, jobId] of ids.entries()) {
            const { status, progress } = await getBatchJob(tx, { jobId });
            const letters = (await listDeadLetters(tx, { jobId })).items.map(({ rowNumber }) => `s${rowNumber}`);
            const rows = await tx.execute<{ subject: string }>(
              sql`select subject from predictions where batch_job_id = ${jobId}::uuid`,
            );
            const accounted = [...letters, ...rows.map(({ subject }) => subject)].sort();
            const total = given.jobs[place]?.rows ?? 0;
            expect(new Set(accounted).size).toBe(accounted.length);
            expect(progress.rows).toMatchObject({ succeeded: rows.length, dead: letters.length, total });
            if (status === 'cancelled') continue;
            expect(status).toBe(letters.length > 0 ? 'failed' : 'succeeded');
            expect(accounted).toEqual(Array.from({ length: total }, (_, x) => `s${x}`).sort());
          }
          // The history of each job is a chain that ends where it is.
          const breaks = await tx.execute(sql`
          select 1 from (
            select from_status, lag(to_status) over (partition by job_id order by change_number) as before,
                   change_number, row_number() over (partition by job_id order by change_number) as place
              from batch_job_events) e
           where from_status is distinct from before or change_number <> place`);
          expect(breaks).toEqual([]);
        });
        worlds += 1;
      }),
    ),
    { numRuns: 100 },
  );
  expect(worlds).toBeGreaterThan(3);
  expect(lost).toBeGreaterThan(0);
}, 120_000);
