import { freshTenant } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { claimChunk, completeChunk, getBatchJob } from '../../src/index.ts';
import { predictionsOf, rowsOf, submitted, twice } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();

it('a job is claimed chunk by chunk, and has succeeded with the last', async () => {
  const tenant = freshTenant();
  const { jobId, ...made } = await submitted(predictions.db, tenant, { rows: rowsOf(10), chunkRows: 4 });
  expect(made).toMatchObject({ status: 'queued', rowCount: 10, chunkCount: 3 });
  for (const size of [4, 4, 2]) {
    const chunk = await predictions.run(tenant, (tx) => claimChunk(tx));
    if (chunk === undefined) throw new Error('Nothing to claim.');
    expect(chunk.rows.length).toBe(size);
    const { lease, rows } = chunk;
    await predictions.run(tenant, (tx) => completeChunk(tx, { lease, rows, results: twice(rows) }));
  }
  expect(await predictions.run(tenant, (tx) => claimChunk(tx))).toBeUndefined();
  const job = await predictions.run(tenant, (tx) => getBatchJob(tx, { jobId }));
  expect(job.status).toBe('succeeded');
  expect(job.progress.rows).toEqual({ total: 10, succeeded: 10, dead: 0, pending: 0 });
  expect(await predictionsOf(predictions.db, tenant, jobId)).toEqual(
    rowsOf(10).map((row, x) => ({ subject: row.subject, score: 2 * x })),
  );
});
