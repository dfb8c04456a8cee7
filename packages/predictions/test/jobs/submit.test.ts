import { dispatchWork, isDomainError, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { registerVersion, setAlias } from '@mcp-hub/registry';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type BatchRowInput,
  batchSweepHandler,
  claimChunk,
  getBatchJob,
  listBatchJobs,
  type SubmitBatchRowsInput,
  submitBatchJob,
  submitBatchRows,
} from '../../src/index.ts';
import { rowsOf, submitted } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();

async function allRows(tenant: string) {
  const rows: unknown[] = [];
  for (;;) {
    const chunk = await predictions.run(tenant, (tx) => claimChunk(tx));
    if (chunk === undefined) return rows;
    rows.push(...chunk.rows);
  }
}

const withVersion = (tenant: string) => predictions.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));

describe('submitBatchJob', () => {
  it('takes rows as they are, with NaN, infinities, categories and what is missing', async () => {
    const tenant = freshTenant();
    const rows: readonly BatchRowInput[] = [
      { subject: 'a', features: { x: Number.NaN, y: Number.POSITIVE_INFINITY, z: -1.5 } },
      { features: { x: null, kind: 'NaN', late: true, 'odd "name"': '{}' } },
      { features: {} },
    ];
    await submitted(predictions.db, tenant, { rows, chunkRows: 2 });
    expect(await allRows(tenant)).toEqual(rows.map((row, index) => ({ ...row, row: index })));
  });

  it('makes smaller chunks of a query whose rows are long, and refuses one that is longer than a chunk', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const submit = (rows: number, length: number) =>
      predictions.run(tenant, (tx) => {
        const text = sql<string>`repeat('x', ${length}::int)`.as('text');
        const query = tx.select({ n: sql<number>`n`.as('n'), text }).from(sql`generate_series(1, ${rows}::int) as n`);
        return submitBatchJob(tx, { reference: 'churn/1', jobName: 'j', chunkRows: 10, query: query.as('q') });
      });
    expect(await submit(25, 10)).toMatchObject({ chunkCount: 3, rowCount: 25 });
    expect(await submit(12, 1_000_000)).toMatchObject({ chunkCount: 5, rowCount: 12 });
    const numbers = (await allRows(tenant)).map((row) => (row as { row: number }).row);
    expect(numbers).toEqual([...Array(25).keys(), ...Array(12).keys()]);
    const refusal = await failureOf(submit(3, 9_000_000));
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'query' } });
  });

  it('refuses a row that is longer than a chunk', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const wide = Object.fromEntries(Array.from({ length: 4_100 }, (_, n) => [`f${n}`, 'x'.repeat(1_000)]));
    const rows = [{ features: { a: 1 } }, { features: wide }];
    const refusal = await failureOf(submitted(predictions.db, tenant, { rows }));
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'rows[1]', index: 1, limit: 4_000_000 } });
  });

  it('takes the rows of a query in its order, which never leave the server', async () => {
    const tenant = freshTenant();
    await submitted(predictions.db, tenant, {}, new Date('2026-01-01'));
    await allRows(tenant);
    await withVersion(tenant);
    const made = await predictions.run(tenant, async (tx) => {
      const n = sql<number>`n`.as('n');
      const numbers = tx
        .select({
          subject: sql<string>`'f' || n`.as('subject'),
          n,
          half: sql<number>`case when n = 3 then 'NaN' else n / 2.0::float8 end`.as('half'),
          kind: sql<string>`case when n % 2 = 0 then 'even' end`.as('kind'),
          late: sql<boolean>`n > 4`.as('late'),
        })
        .from(sql`generate_series(1, 5) as n`)
        .orderBy(sql`n desc`)
        .as('numbers');
      return await submitBatchJob(tx, { name: 'churn', version: '2', jobName: 'q', chunkRows: 2, query: numbers });
    });
    expect(made).toMatchObject({ rowCount: 5, chunkCount: 3, status: 'queued' });
    const row = (index: number, n: number) => ({
      ...{ row: index, subject: `f${n}` },
      features: { n, half: n === 3 ? Number.NaN : n / 2, kind: n % 2 === 0 ? 'even' : null, late: n > 4 },
    });
    expect(await allRows(tenant)).toEqual([row(0, 5), row(1, 4), row(2, 3), row(3, 2), row(4, 1)]);
  });

  it('takes a query of more fields than a function of SQL has arguments', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const names = Array.from({ length: 120 }, (_, index) => `f${index}`);
    await predictions.run(tenant, async (tx) => {
      const fields = Object.fromEntries(names.map((name, index) => [name, sql`${index}::int`.as(name)]));
      const query = tx.select(fields).from(sql`(values (1)) as one`).as('wide');
      await submitBatchJob(tx, { reference: 'churn/1', jobName: 'q', query });
    });
    expect(await allRows(tenant)).toEqual([
      { row: 0, features: Object.fromEntries(names.map((name, index) => [name, index])) },
    ]);
  });

  it('tells queries with one key apart by their parameters, of whatever type', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const submit = (value: bigint | number) =>
      predictions.run(tenant, (tx) => {
        const x = sql<number>`${value}::float8`.as('x');
        const query = tx.select({ x }).from(sql`generate_series(1, 2)`).as('q');
        return submitBatchJob(tx, { reference: 'churn/1', jobName: 'j', idempotencyKey: 'k', query });
      });
    const { jobId } = await submit(7n);
    expect(await submit(7n)).toMatchObject({ jobId });
    expect(await failureOf(submit(8n))).toMatchObject({ code: 'conflict' });
    expect(await failureOf(submit(Number.NaN))).toMatchObject({ code: 'conflict' });
  });

  it('pins the version that an alias leads to when it is called', async () => {
    const tenant = freshTenant();
    const { jobId, versionId } = await predictions.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'churn' });
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '1' });
      const made = await submitBatchJob(tx, { reference: 'churn@champion', jobName: 'j', rows: rowsOf(1) });
      await registerVersion(tx, { name: 'churn' });
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '2' });
      return made;
    });
    const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
    expect(job.modelVersionId).toBe(versionId);
    expect((await predictions.run(tenant, (tx) => claimChunk(tx)))?.versionId).toBe(versionId);
  });

  it('names the row that it refuses, and stores nothing', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const rows = [...rowsOf(3), { features: { x: [1] } } as unknown as BatchRowInput];
    const refusal = await failureOf(submitted(predictions.db, tenant, { rows }));
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { index: 3, field: 'rows[3].features[…]' } });
    expect((await predictions.run(tenant, (tx) => listBatchJobs(tx))).items).toEqual([]);
  });

  it('gives the first job to whoever repeats the call with its key, and refuses other rows', async () => {
    const tenant = freshTenant();
    const first = await submitted(predictions.db, tenant, { idempotencyKey: 'june' });
    expect(await submitted(predictions.db, tenant, { idempotencyKey: 'june' })).toEqual(first);
    const rows = rowsOf(10);
    const turned = rows.map(({ subject, features }) => ({ features, ...(subject === undefined ? {} : { subject }) }));
    expect(await submitted(predictions.db, tenant, { idempotencyKey: 'june', rows: turned })).toEqual(first);
    const asText = rows.map((row, x) => ({ ...row, features: { x: String(x) } }));
    for (const other of [rowsOf(11), asText, [...rowsOf(9), { subject: 's9', features: { x: Number.NaN } }]]) {
      const refusal = await failureOf(submitted(predictions.db, tenant, { idempotencyKey: 'june', rows: other }));
      expect(refusal).toMatchObject({ code: 'conflict', details: { reason: 'idempotency_key_reused' } });
    }
    expect((await predictions.run(tenant, (tx) => listBatchJobs(tx))).items).toHaveLength(1);
  });

  it('closes a chunk before its rows are too long together', async () => {
    const tenant = freshTenant();
    const text = 'x'.repeat(1_000);
    const features = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`f${index}`, text]));
    const made = await submitted(predictions.db, tenant, {
      rows: Array.from({ length: 5 }, () => ({ features })),
      chunkRows: 500,
    });
    expect(made).toMatchObject({ rowCount: 5, chunkCount: 3 });
  });

  it('refuses rows beside a query, and neither', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const submit = (more: object) =>
      predictions.run(tenant, (tx) => submitBatchJob(tx, { reference: 'churn/1', jobName: 'j', ...more }));
    expect(await failureOf(submit({}))).toMatchObject({ code: 'invalid_input' });
    expect(await failureOf(submit({ rows: [], query: sql`select 1` }))).toMatchObject({ code: 'invalid_input' });
  });
});

describe('submitBatchRows', () => {
  const submit = (tenant: string, input: Partial<SubmitBatchRowsInput>, now?: Date) =>
    submitBatchRows(
      predictions.db,
      tenant,
      { reference: 'churn/1', jobName: 'stream', chunkRows: 10, rows: rowsOf(10), ...input },
      now === undefined ? {} : { now },
    );

  it('shows the job only when the last row is in', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const seen: unknown[] = [];
    async function* rows() {
      for (let x = 0; x < 60_000; x += 1) {
        if (x === 55_000) {
          const stored = await predictions.run(tenant, (tx) =>
            tx.execute<{ count: number }>(sql`select count(*)::int as count from batch_job_chunks`),
          );
          seen.push(stored[0]?.count, (await predictions.run(tenant, (tx) => listBatchJobs(tx))).items.length);
          seen.push(await predictions.run(tenant, (tx) => claimChunk(tx)));
        }
        yield { features: { x } };
      }
    }
    const made = await submit(tenant, { rows: rows() });
    expect(made).toMatchObject({ status: 'queued', rowCount: 60_000, chunkCount: 6_000 });
    expect(seen).toEqual([5_000, 0, undefined]);
    const chunk = await predictions.run(tenant, (tx) => claimChunk(tx));
    expect(chunk?.rows[0]).toEqual({ row: 0, features: { x: 0 } });
  });

  it('leaves nothing behind where its rows fail', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    function* rows() {
      yield* rowsOf(60_000);
      throw new Error('The file ends here.');
    }
    await expect(submit(tenant, { rows: rows() })).rejects.toThrow('The file ends here.');
    expect(await contentOf(tenant)).toEqual([{ jobs: 0, chunks: 0 }]);
  });

  it('is swept where its process died', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const start = new Date();
    const never = new Promise<never>(() => {});
    async function* rows() {
      yield* rowsOf(60_000);
      await never;
    }
    void submit(tenant, { rows: rows() }, start);
    await expect.poll(() => contentOf(tenant), { timeout: 20_000 }).toEqual([{ jobs: 1, chunks: 5_000 }]);
    const sweepAt = (now: Date) =>
      dispatchWork(predictions.db, { ...batchSweepHandler({ now: () => now }), now: () => now });
    await sweepAt(new Date(start.getTime() + 890_000));
    expect(await contentOf(tenant)).toEqual([{ jobs: 1, chunks: 5_000 }]);
    await sweepAt(new Date(start.getTime() + 910_000));
    expect(await contentOf(tenant)).toEqual([{ jobs: 0, chunks: 0 }]);
  });

  it('is told that it was taken for abandoned', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    async function* rows() {
      yield* rowsOf(60_000);
      await predictions.run(tenant, (tx) => tx.execute(sql`delete from batch_jobs`));
    }
    expect(await failureOf(submit(tenant, { rows: rows() }))).toMatchObject({
      code: 'conflict',
      details: { reason: 'submission_abandoned' },
    });
  });

  it('reads no rows where its key gave a job before', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const first = await submit(tenant, { idempotencyKey: 'k' });
    const never: Iterable<BatchRowInput> = {
      [Symbol.iterator]: () => {
        throw new Error('These rows were read.');
      },
    };
    expect(await submit(tenant, { idempotencyKey: 'k', rows: never })).toEqual(first);
    const other = await failureOf(submit(tenant, { idempotencyKey: 'k', priority: 1 }));
    expect(isDomainError(other, 'conflict')).toBe(true);
  });

  it('makes one job of two calls with one key at the same time', async () => {
    const tenant = freshTenant();
    await withVersion(tenant);
    const [one, other] = await Promise.all([
      submit(tenant, { idempotencyKey: 'k' }),
      submit(tenant, { idempotencyKey: 'k' }),
    ]);
    expect(one).toEqual(other);
    expect(await contentOf(tenant)).toEqual([{ jobs: 1, chunks: 1 }]);
  });
});

const contentOf = (tenant: string) =>
  withTenant(predictions.db, tenant, (tx: TenantTx) =>
    tx.execute(sql`
      select (select count(*) from batch_jobs)::int as jobs, (select count(*) from batch_job_chunks)::int as chunks`),
  );
