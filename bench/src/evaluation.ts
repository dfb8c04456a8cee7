import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { measureBinaryQuery } from '@mcp-hub/evaluation';
import { eq, sql } from 'drizzle-orm';
import { boolean, doublePrecision, pgTable, text } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { benchArrays } from './evaluation-arrays.ts';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const rows = 1_000_000;
const tenant = 'bench';

/** A million scores to all threshold metrics and curves: from arrays beside one sort, in SQL beside one `order by`. */
export async function benchEvaluation(): Promise<void> {
  await benchArrays();
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 2 });
  try {
    await fillScores(database.ownerUrl);
    await benchSql(db);
  } finally {
    await db.close();
    await database.end();
  }
}

/** A ledger in small: a tenant's table with its policy, whose scores lie in no order. */
async function fillScores(ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner`
      create table bench_scores (tenant_id text not null, id uuid not null default gen_random_uuid(), label boolean not null,
                                 score float8 not null, weight float8 not null, origin text not null, primary key (tenant_id, id))`;
    await owner`
      insert into bench_scores (tenant_id, label, score, weight, origin)
      select ${tenant}, label, 0.3 * label::int + 0.7 * random(), 0.5 + random(), 'origin ' || n % 5
        from (select n, random() < 0.4 as label from generate_series(1, ${rows}::int) n) given`;
    await owner`alter table bench_scores enable row level security`;
    await owner`alter table bench_scores force row level security`;
    await owner`create policy bench_scores_tenant on bench_scores
                  using (tenant_id = (select nullif(current_setting('app.tenant', true), '')))`;
    await owner`grant select on bench_scores to app_tenant`;
    await owner`vacuum analyze bench_scores`;
  } finally {
    await owner.end();
  }
}

const benchScores = pgTable('bench_scores', {
  tenantId: text('tenant_id').notNull(),
  label: boolean('label').notNull(),
  score: doublePrecision('score').notNull(),
  weight: doublePrecision('weight').notNull(),
  origin: text('origin').notNull(),
});

function scoresOf(tx: TenantTx) {
  const { label, score, weight, origin, tenantId } = benchScores;
  return tx.select({ label, score, weight, origin }).from(benchScores).where(eq(tenantId, tenant)).as('scores');
}

async function benchSql(db: Database): Promise<void> {
  const inTenant = (work: (tx: TenantTx) => Promise<unknown>) => () => withTenant(db, tenant, work);
  const measured = await measure(
    [
      {
        name: 'order by score, read by the server alone (reference)',
        run: inTenant((tx) =>
          tx.execute(sql`select max(score) from (select score from bench_scores where tenant_id = ${tenant}
                                                  order by score offset 0) sorted`),
        ),
      },
      {
        name: 'one running count over that order, nothing else',
        run: inTenant((tx) =>
          tx.execute(sql`select max(hits) from (select sum(label::int) over (order by score rows unbounded preceding) as hits
                                                   from bench_scores where tenant_id = ${tenant} offset 0) counted`),
        ),
      },
      {
        name: 'the scores of each class in a sorted array, nothing else',
        run: inTenant((tx) =>
          tx.execute(sql`select cardinality(array_agg(-score order by -score) filter (where label)),
                                cardinality(array_agg(-score order by -score) filter (where not label))
                           from bench_scores where tenant_id = ${tenant}`),
        ),
      },
      {
        name: 'all metrics, curves and intervals',
        aim: '1.5',
        run: inTenant((tx) => {
          const scores = scoresOf(tx);
          const { label, score } = scores;
          return measureBinaryQuery(tx, { rows: scores, columns: { label, score } });
        }),
      },
      {
        name: 'with weights',
        run: inTenant((tx) => {
          const scores = scoresOf(tx);
          const { label, score, weight } = scores;
          return measureBinaryQuery(tx, { rows: scores, columns: { label, score, weight } });
        }),
      },
      {
        name: 'with 5 slices',
        run: inTenant((tx) => {
          const scores = scoresOf(tx);
          const { label, score, origin } = scores;
          return measureBinaryQuery(tx, { rows: scores, columns: { label, score, slices: { origin } } });
        }),
      },
    ],
    { rounds: 5, warmUp: 1 },
  );
  printTable(
    `In SQL over ${rows} rows`,
    measured.map(({ name, medianMs, ratio, aim }) => ({
      name,
      'median ms': medianMs,
      'beside the order by': ratio,
      aim,
    })),
  );
}
