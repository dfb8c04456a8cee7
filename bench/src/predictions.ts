import { connect, type Database, newId, withTenant } from '@mcp-hub/db-core';
import { maintainPartitions } from '@mcp-hub/migrate';
import { type PredictionInput, recordPredictions } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import postgres from 'postgres';
import { copyAsSuperuser } from './predictions-copy.ts';
import { printTable } from './report.ts';
import { type BenchDatabase, startBenchDatabase } from './server.ts';

const tenant = 'bench';
const rounds = 10;
const rowsARound = 100_000;

/** A million predictions with 20 numbers and two categories through recordPredictions, beside COPY into the same table. */
export async function benchPredictions(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 2 });
  try {
    await maintainPartitions({ url: database.ownerUrl });
    await benchIngest(database, db);
  } finally {
    await db.close();
    await database.end();
  }
}

async function benchIngest({ adminUrl }: BenchDatabase, db: Database): Promise<void> {
  if (adminUrl === undefined) throw new Error('The bench needs a superuser beside the service.');
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  const { id: versionId } = await withTenant(db, tenant, (tx) => registerVersion(tx, { name: 'churn' }));
  const record = async (predictions: readonly PredictionInput[]) =>
    await withTenant(db, tenant, (tx) => recordPredictions(tx, { versionId, predictions }));
  await record(makePredictions(1_000));
  const ways: Readonly<Record<string, (rows: readonly PredictionInput[]) => Promise<unknown>>> = {
    'COPY by a superuser': (rows) => copyAsSuperuser(admin, { tenant, versionId, rows }),
    'recordPredictions, ids made before': record,
    'recordPredictions, 10,000 a call': async (rows) => {
      for (let from = 0; from < rows.length; from += 10_000) await record(rows.slice(from, from + 10_000));
    },
    'the same sent again': async (rows) => void rows,
  };
  const totals = new Map(Object.keys(ways).map((name) => [name, { ms: 0, cpuMs: 0 }]));
  let last: readonly PredictionInput[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const again = name === 'the same sent again';
      if (!again) last = makePredictions(rowsARound);
      const cpu = process.cpuUsage();
      const start = performance.now();
      await (again ? record(last) : way(last));
      const total = totals.get(name);
      if (total === undefined) continue;
      total.ms += performance.now() - start;
      const used = process.cpuUsage(cpu);
      total.cpuMs += (used.user + used.system) / 1_000;
    }
  }
  await admin.end();
  const count = rounds * rowsARound;
  const reference = totals.get('COPY by a superuser')?.ms ?? Number.NaN;
  printTable(
    `${count} predictions with 20 numbers and 2 categories, ${rowsARound} by turns, one client`,
    [...totals].map(([way, { ms, cpuMs }]) => ({
      way,
      'rows a second': Math.round((count / ms) * 1_000),
      'us of this process a row': (cpuMs * 1_000) / count,
      'of the rate of COPY': reference / ms,
      aim: way.startsWith('recordPredictions') ? '>= 0.75' : '',
    })),
  );
}

export function makePredictions(count: number): readonly PredictionInput[] {
  return Array.from({ length: count }, () => ({
    id: newId(),
    subject: `customer ${Math.floor(Math.random() * 1_000_000)}`,
    label: Math.random() < 0.5 ? 'leaves' : 'stays',
    score: Math.random(),
    features: {
      ...Object.fromEntries(numberNames.map((name) => [name, Math.round(Math.random() * 100_000) / 100])),
      country: 'de',
      plan: Math.random() < 0.5 ? 'monthly' : 'yearly',
    },
    latencyMs: Math.round(Math.random() * 1_000) / 100,
  }));
}

const numberNames = Array.from({ length: 20 }, (_, n) => `number_${n}`);
