import { connect, type Database, newId, withTenant } from '@mcp-hub/db-core';
import { maintainPartitions } from '@mcp-hub/migrate';
import { recordTelemetry, refreshAggregates } from '@mcp-hub/telemetry';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { type BenchDatabase, startBenchDatabase } from './server.ts';
import { fillTelemetry, telemetryShape } from './telemetry-data.ts';

const { tenant, series, everyMs, until } = telemetryShape;

/** Recording beside COPY of the same rows, and refreshing what is new over a small and a large history. */
export async function benchTelemetry(): Promise<void> {
  const databases: { readonly database: BenchDatabase; readonly db: Database }[] = [];
  try {
    for (const events of [1_000_000, 10_000_000]) {
      const database = await startBenchDatabase();
      // The history lies in the partition before.
      await maintainPartitions({ url: database.ownerUrl, now: new Date(until.getTime() - 86_400_000) });
      const db = await connect({ url: database.serviceUrl, max: 8 });
      databases.push({ database, db });
      await timed(`${events} events of ${series} series are filled in`, () => fillTelemetry(database.ownerUrl, events));
      await timed('all of their aggregates are made', () => refreshAll(db));
    }
    const [small, large] = databases;
    if (small === undefined || large === undefined) return;
    await benchRefresh(small.db, large.db);
    await benchRecord(large.db, large.database.ownerUrl);
  } finally {
    for (const { database, db } of databases) {
      await db.close();
      await database.end();
    }
  }
}

const batchSize = 10_000;

/** The next events of all series, by turns; later ones in each round. */
const eventsFrom = (from: Date, count: number) =>
  Array.from({ length: count }, (_, n) => {
    const at = new Date(from.getTime() + Math.floor(n / series) * everyMs);
    return {
      subject: `endpoint ${1 + (n % series)}`,
      metric: 'latency',
      value: 10 + Math.random() * 90,
      at,
      id: newId(at),
    };
  });

async function benchRefresh(small: Database, large: Database): Promise<void> {
  let round = 0;
  const fresh = () => new Date(until.getTime() + round * 600_000);
  const rounds = 9;
  const timings = new Map<Database, number[]>([
    [small, []],
    [large, []],
  ]);
  for (; round < rounds; round += 1) {
    for (const [db, times] of timings) {
      const events = eventsFrom(fresh(), batchSize);
      await withTenant(db, tenant, (tx) => recordTelemetry(tx, { events }), { now: fresh() });
      const start = performance.now();
      await refreshAll(db);
      times.push(performance.now() - start);
    }
  }
  const medians = [...timings.values()].map((times) => median(times.slice(1)));
  const [reference = Number.NaN] = medians;
  printTable(
    `Refresh after ${batchSize} new events, median of ${rounds - 1}`,
    ['1 M events before', '10 M events before'].map((history, index) => ({
      history,
      'median ms': medians[index] ?? Number.NaN,
      ratio: (medians[index] ?? Number.NaN) / reference,
      aim: index === 0 ? '' : '< 1.3',
    })),
  );
}

async function benchRecord(db: Database, ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  // What a team without this layer would write to: the same columns and indexes, without row level security and checks.
  await owner`create table bare_events (like ml_telemetry_events including defaults)`;
  await owner`alter table bare_events add primary key (tenant_id, id)`;
  await owner`create index on bare_events (tenant_id, series_id, id)`;
  await owner`select set_config('app.tenant', ${tenant}, false)`;
  const ids = (await owner<{ id: string }[]>`select id from ml_telemetry_series`).map(({ id }) => id);
  let at = new Date(until.getTime() + 86_400_000);
  const next = (count: number) => {
    at = new Date(at.getTime() + 600_000);
    return eventsFrom(at, count);
  };
  const copy = async () => {
    const lines = next(batchSize).map(
      (event, n) => `${tenant}\t${event.id}\t${ids[n % series]}\t${event.value}\t${event.at.toISOString()}\n`,
    );
    const sink = await owner`copy bare_events (tenant_id, id, series_id, value, recorded_at) from stdin`.writable();
    for (const line of lines) sink.write(line);
    await new Promise((resolve, reject) => sink.on('finish', resolve).on('error', reject).end());
  };
  const record = async (size: number) => {
    const events = next(batchSize);
    for (let n = 0; n < batchSize; n += size) {
      await withTenant(db, tenant, (tx) => recordTelemetry(tx, { events: events.slice(n, n + size) }), { now: at });
    }
  };
  const measured = await measure(
    [
      { name: 'COPY into a bare table', run: copy },
      ...[10_000, 500, 10].map((size) => ({ name: `recordTelemetry, ${size} a batch`, run: () => record(size) })),
    ],
    { rounds: 7, warmUp: 1 },
  );
  await owner.end();
  printTable(
    `Recording ${batchSize} events of ${series} series, one client`,
    measured.map(({ name, medianMs, ratio }) => ({
      name,
      'median ms': medianMs,
      'events a second': Math.round((batchSize / medianMs) * 1_000),
      'beside COPY': ratio,
    })),
  );
}

async function refreshAll(db: Database): Promise<void> {
  for (;;) {
    const { more } = await withTenant(db, tenant, (tx) => refreshAggregates(tx, { limit: 10_000 }));
    if (!more) return;
  }
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
}

const median = (times: readonly number[]) =>
  times.toSorted((one, other) => one - other)[times.length >> 1] ?? Number.NaN;
