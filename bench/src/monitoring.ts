import { connect, idFloor, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { checkDrift, createBaseline, refreshProfiles } from '@mcp-hub/monitoring';
import { recordPredictions } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const rows = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const features = Array.from({ length: 20 }, (_, n) => `feature ${n}`);
const tenant = 'bench';
const day = new Date('2026-05-04T00:00:00Z');
const next = new Date('2026-05-05T00:00:00Z');

/** Profiles of a day with a million predictions, and checks from profiles that stand for few and for many. */
export async function benchMonitoring(): Promise<void> {
  const database = await startBenchDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const db = await connect({ url: database.serviceUrl, max: 2 });
  // One process of the server for each: sums in a fixed order are not taken by several.
  const run = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
    withTenant(
      db,
      tenant,
      async (tx) => {
        await tx.execute(sql`set local max_parallel_workers_per_gather = 0`);
        return await work(tx);
      },
      { now: new Date('2026-05-10T12:00:00Z') },
    );
  try {
    const versionId = await run(async (tx) => (await registerVersion(tx, { name: 'bench' })).id);
    const values = (n: number) =>
      Object.fromEntries(features.map((name, i) => [name, Math.sin(n * (i + 1)) * 100 + (n % 7)]));
    await run((tx) =>
      recordPredictions(tx, {
        versionId,
        predictions: Array.from({ length: 1_000 }, (_, n) => ({
          at: new Date(day.getTime() - 86_400_000 + n),
          features: values(n),
        })),
      }),
    );
    await run((tx) =>
      createBaseline(tx, {
        versionId,
        window: { from: new Date(day.getTime() - 86_400_000), to: day },
        profileFrom: next,
      }),
    );
    await run((tx) => refreshProfiles(tx, { limit: 100 }));
    await owner`set row_security = off`;
    await owner.unsafe('alter table predictions no force row level security');
    await owner.unsafe(
      `insert into predictions (tenant_id, id, model_version_id, subject, numbers)
       select '${tenant}', (left(floor_id, 8) || substr(floor_id, 9, 5) || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8' ||
              lpad(to_hex((n >> 12) & 4095), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid, '${versionId}', n::text,
              array(select sin(n * i) * 100 + n % 7 from generate_series(1, 20) i)
         from (select n, ms, lpad(to_hex(ms), 12, '0') as hex,
                      left(lpad(to_hex(ms), 12, '0'), 8) || '-' || right(lpad(to_hex(ms), 12, '0'), 4) as floor_id
                 from (select n, ${day.getTime()} + (n::bigint * 86000000 / ${rows}) as ms from generate_series(1, ${rows}) n) t) s`,
    );
    await owner.unsafe('alter table predictions force row level security');
    await owner.unsafe('vacuum analyze predictions');
    const window = sql`tenant_id = ${tenant} and model_version_id = ${versionId}::uuid
                       and id >= ${idFloor(day)}::uuid and id < ${idFloor(next)}::uuid`;
    const extraction = (n: number) => sql.raw(`numbers[${n + 1}]`);
    const mark = () =>
      run((tx) =>
        tx.execute(
          sql`insert into prediction_day_marks (model_version_id, day) values (${versionId}::uuid, '2026-05-04')`,
        ),
      );
    const avgs = sql.join(
      features.map((_, n) => sql`avg(${extraction(n)})`),
      sql`, `,
    );
    await mark();
    const profile = await measure(
      [
        {
          name: `avg of 20 features of ${rows} predictions`,
          run: () => run((tx) => tx.execute(sql`select ${avgs} from predictions where ${window}`)),
        },
        {
          name: 'refreshProfiles of their day',
          aim: '2',
          run: async () => {
            await mark();
            await run((tx) => refreshProfiles(tx));
          },
        },
      ],
      { rounds: 5, warmUp: 1 },
    );
    printTable(
      'Profile of a day',
      profile.map(({ name, medianMs, ratio, aim }) => ({ what: name, s: medianMs / 1_000, ratio, aim })),
    );

    // The same days with a hundred times the counts.
    const check = (from: string, to: string) => () =>
      run((tx) => checkDrift(tx, { versionId, fromDay: from, toDay: to }));
    await owner.unsafe('alter table monitoring_profiles no force row level security');
    await owner.unsafe(`
      insert into monitoring_profiles
      select tenant_id, baseline_id, day + 100, field_number, row_count * 100, (select array_agg(c * 100 order by o) from unnest(counts) with ordinality u(c, o)),
             nulls * 100, nans * 100, finite * 100, mean, m2 * 100, min, max, updated_at
        from monitoring_profiles`);
    await owner.unsafe('alter table monitoring_profiles force row level security');
    const checks = await measure(
      [
        { name: `a check from profiles that stand for ${rows} rows`, run: check('2026-05-04', '2026-05-04') },
        { name: `for ${rows * 100} rows`, aim: '1', run: check('2026-08-12', '2026-08-12') },
      ],
      { rounds: 20, warmUp: 3 },
    );
    printTable(
      'Checks',
      checks.map(({ name, medianMs, ratio, aim }) => ({ what: name, ms: medianMs, ratio, aim })),
    );
  } finally {
    await db.close();
    await owner.end();
    await database.end();
  }
}
