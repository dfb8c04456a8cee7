import { type TenantTx, withTenant } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { type SQL, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { claimChunk, submitBatchJob } from '../../src/index.ts';
import { claimStatement } from '../../src/jobs/claim-chunk.ts';
import { submitted } from '../support/batch-jobs.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const CHUNKS = 20_000;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** How the chunks were reached: node, index, and rows that were read in all. */
async function readsOf(tx: TenantTx, statement: SQL) {
  const [row] = await tx.execute<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
    sql`explain (analyze, format json) ${statement}`,
  );
  const [explained] = row?.['QUERY PLAN'] ?? [];
  if (explained === undefined) throw new Error('There is no plan.');
  return nodesOf(explained.Plan)
    .filter((node) => node['Relation Name']?.startsWith('batch_job') === true || node['Index Name'] !== undefined)
    .filter((node) => node['Relation Name'] === 'batch_job_chunks' && node['Node Type'] !== 'ModifyTable')
    .map((node) => ({
      node: node['Node Type'],
      index: node['Index Name'],
      rows: (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    }));
}

async function fill(tenant: string): Promise<void> {
  await submitted(predictions.db, tenant, { rows: [] });
  await withTenant(predictions.db, tenant, async (tx) => {
    const query = tx
      .select({ x: sql<number>`x`.as('x') })
      .from(sql`generate_series(1, ${CHUNKS}::int) as x`)
      .as('numbers');
    await submitBatchJob(tx, { reference: 'churn/1', jobName: 'big', chunkRows: 1, query });
  });
}

it.each(['without', 'with'] as const)(
  'a claim reads a handful of rows however many wait, %s statistics',
  async (how) => {
    const tenant = freshTenant();
    await fill(tenant);
    if (how === 'with') {
      const owner = postgres(predictions.ownerUrl, { max: 1, onnotice: () => {} });
      await owner`analyze batch_jobs, batch_job_chunks, batch_limits`;
      await owner.end();
    }
    // The first chunks have gone: what they left in the index is passed by.
    for (let count = 0; count < 3; count += 1) await predictions.run(tenant, (tx) => claimChunk(tx));
    for (const caps of ['uncapped', 'capped'] as const) {
      const reads = await predictions.run(tenant, (tx) => readsOf(tx, claimStatement(tx, {}, caps)));
      expect(reads.length).toBeGreaterThan(0);
      for (const { node, rows } of reads) {
        expect([caps, node]).not.toEqual([caps, 'Seq Scan']);
        expect(rows).toBeLessThan(10);
      }
      expect(reads.map(({ index }) => index)).toContain('batch_job_chunks_queued_idx');
      expect(reads.map(({ index }) => index)).toContain('batch_job_chunks_pk');
    }
  },
);

it('a claim that finds nothing due reads a handful of rows beside masses that are not due', async () => {
  const tenant = freshTenant();
  await fill(tenant);
  await predictions.run(tenant, (tx) =>
    tx.execute(sql`update batch_job_chunks set due_at = app_now() + interval '1 day'`),
  );
  const reads = await predictions.run(tenant, (tx) => readsOf(tx, claimStatement(tx, {}, 'uncapped')));
  for (const { rows } of reads) expect(rows).toBeLessThan(10);
});
