import { once } from 'node:events';
import { connect, type Database, newId, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { readAnalysisInput, recordExposures, recordOutcomes, refreshUnits } from '@mcp-hub/experiments';
import { maintainPartitions } from '@mcp-hub/migrate';
import postgres from 'postgres';
import { EXPERIMENT, insertBenchExperiment, insertBenchRows, TENANT } from './experiments-data.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

/** Exposures, and as many outcomes. The size is 10,000,000. */
const rows = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const asOf = new Date('2026-07-01T00:00:00Z');
const batch = 10_000;

/** Recording beside COPY of the same rows into a bare table; the input of an analysis beside one aggregate over the same rows. */
export async function benchExperiments(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 2 });
  if (database.adminUrl === undefined) throw new Error('The bench needs a superuser beside the service.');
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  try {
    await maintainPartitions({ url: database.ownerUrl });
    await insertBenchExperiment(admin);
    await benchRecording(admin, db);
    await benchInput(admin, db);
  } finally {
    await admin.end();
    await db.close();
    await database.end();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const inTenant = <Result>(db: Database, work: (tx: TenantTx) => Promise<Result>) => withTenant(db, TENANT, work);

async function benchRecording(admin: postgres.Sql, db: Database): Promise<void> {
  await admin.unsafe(
    'create table bare_exposures (tenant_id text, experiment_id uuid, unit text, variant_id uuid, first_at timestamptz, last_at timestamptz)',
  );
  await admin.unsafe('create table bare_outcomes (tenant_id text, id uuid, outcome text, unit text, value float8)');
  const totals = {
    'COPY of exposures': 0,
    'COPY of exposures into ab_exposures': 0,
    recordExposures: 0,
    'COPY of outcomes': 0,
    'COPY of outcomes into ab_outcomes': 0,
    recordOutcomes: 0,
  };
  const rounds = 10;
  const now = Date.now();
  for (let round = 0; round < rounds; round += 1) {
    const make = () =>
      Array.from({ length: batch }, (_, n) => ({ unit: `recorded ${Math.random()} ${n}`, at: new Date(now - n) }));
    const [copied, recorded] = [make(), make()];
    const copyExposures = (table: string) =>
      timed(() =>
        copy(
          admin,
          `${table} (tenant_id, experiment_id, unit, variant_id, first_at, last_at)`,
          copied,
          ({ unit, at }) => {
            const time = at.toISOString();
            return `${TENANT}\t${EXPERIMENT}\t${unit}\t${EXPERIMENT}\t${time}\t${time}\n`;
          },
        ),
      );
    const outcomesOf = (units: typeof copied) =>
      units.map(({ unit, at }, n) => ({ id: newId(at), outcome: 'unread', unit, value: n / 7 }));
    const copiedOutcomes = outcomesOf(copied);
    const copyOutcomes = (table: string) =>
      timed(() =>
        copy(
          admin,
          `${table} (tenant_id, id, outcome, unit, value)`,
          copiedOutcomes,
          ({ id, unit, value }) => `${TENANT}\t${id}\tunread\t${unit}\t${value}\n`,
        ),
      );
    const exposures = recorded.map(({ unit, at }, n) => ({ experiment: 'e', unit, variant: `v${n % 3}`, at }));
    const outcomes = outcomesOf(recorded);
    totals['COPY of exposures'] += await copyExposures('bare_exposures');
    totals['COPY of exposures into ab_exposures'] += await copyExposures('ab_exposures');
    totals.recordExposures += await timed(() => inTenant(db, (tx) => recordExposures(tx, { exposures })));
    totals['COPY of outcomes'] += await copyOutcomes('bare_outcomes');
    totals['COPY of outcomes into ab_outcomes'] += await copyOutcomes('ab_outcomes');
    totals.recordOutcomes += await timed(() => inTenant(db, (tx) => recordOutcomes(tx, { outcomes })));
  }
  await admin.unsafe('truncate ab_exposures, ab_outcomes');
  printTable(
    `${rounds * batch} rows, ${batch} a call by turns, one client; COPY into a table without any index or check, and past row level security into the package's own`,
    Object.entries(totals).map(([way, ms]) => {
      const of = /exposures/i.test(way) ? 'exposures' : 'outcomes';
      return {
        way,
        'rows a second': Math.round((rounds * batch * 1_000) / ms),
        'beside COPY into a bare table': totals[`COPY of ${of}`] / ms,
        'into its own': totals[`COPY of ${of} into ab_${of}` as keyof typeof totals] / ms,
      };
    }),
  );
}

async function copy<Row>(
  admin: postgres.Sql,
  table: string,
  given: readonly Row[],
  line: (row: Row) => string,
): Promise<void> {
  const sink = await admin.unsafe(`copy ${table} from stdin`).writable();
  sink.end(given.map(line).join(''));
  await once(sink, 'finish');
}

async function benchInput(admin: postgres.Sql, db: Database): Promise<void> {
  const day = `'2026-05-01T00:00:00Z'::timestamptz`;
  await insertBenchRows(admin, 1, rows, `${day} + n * interval '${2_592_000 / rows} seconds'`);
  await admin.unsafe('vacuum analyze ab_exposures, ab_outcomes');
  const aggregate = () =>
    timed(async () => {
      await admin.unsafe(
        'select variant_id, count(*), min(first_at), max(first_at) from ab_exposures group by variant_id',
      );
      await admin.unsafe('select outcome, count(*), avg(value), var_samp(value) from ab_outcomes group by outcome');
    });
  const read = (full: boolean) => () =>
    inTenant(db, (tx) => readAnalysisInput(tx, { experimentId: EXPERIMENT, asOf, full }));
  const refresh = () => timed(() => inTenant(db, (tx) => refreshUnits(tx, { experimentId: EXPERIMENT, asOf })));
  await aggregate();
  const sequential = await aggregate();
  const full = await timed(read(true));
  const first = await refresh();
  await admin.unsafe('vacuum analyze ab_units');
  const more = Math.floor(rows / 100);
  await insertBenchRows(
    admin,
    rows + 1,
    rows + more,
    `${day} + interval '29 days' + (n % ${more}) * interval '${86_000 / more} seconds'`,
  );
  const oneDay = await timed(read(false));
  await insertBenchRows(
    admin,
    rows + more + 1,
    rows + 2 * more,
    `${day} + (n % ${more}) * interval '${2_592_000 / more} seconds'`,
  );
  const allDays = await timed(read(false));
  const again = await timed(read(false));
  const same = JSON.stringify(await read(false)()) === JSON.stringify(await read(true)());
  const row = (what: string, ms: number, reference: number, aim: string) => ({
    what,
    ms,
    'beside its reference': ms / reference,
    aim,
  });
  printTable(`Input of an analysis of ${rows} exposures and ${rows} outcomes, 3 arms, 5 metrics, 30 days`, [
    row('one sequential aggregate over the same rows', sequential, sequential, ''),
    row('in full, beside the aggregate', full, sequential, '<= 6'),
    row('the first refresh, which writes a row a unit, beside in full', first, full, ''),
    row('1 % new rows in one day, beside in full', oneDay, full, '<= 0.05'),
    row('1 % new rows over all days, beside in full', allDays, full, '<= 0.25'),
    row('nothing new, beside in full', again, full, ''),
  ]);
  console.log(same ? 'Refreshed and in full are the same, bit for bit.' : 'REFRESHED AND IN FULL DIFFER.');
}
