import { connect, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { recordPredictions, watchLedger } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { anotherDatabase, type BenchDatabase, startBenchDatabase } from './server.ts';

const tenant = 'bench';
const features = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`feature ${n}`, n / 7]));

interface Recorder {
  record(count: number): Promise<void>;
  end(): Promise<void>;
}

async function startRecorder(database: Pick<BenchDatabase, 'serviceUrl'>, watched: boolean): Promise<Recorder> {
  const db = await connect({ url: database.serviceUrl, max: 1 });
  const run = <Result>(work: (tx: TenantTx) => Promise<Result>) => withTenant(db, tenant, work);
  const versionId = await run(async (tx) => (await registerVersion(tx, { name: `watched ${watched}` })).id);
  if (watched) await run((tx) => watchLedger(tx, { versionId }));
  return {
    record: async (count) => {
      const predictions = Array.from({ length: count }, () => ({ features }));
      await run((tx) => recordPredictions(tx, { versionId, predictions }));
    },
    end: () => db.close(),
  };
}

/** What it costs to know which days have new predictions: not at all, by marks, and by the transaction of each row. */
export async function benchMonitoringMarks(): Promise<void> {
  const plain = await startBenchDatabase();
  // Each in a database of its own, so that their tables and indexes are of one size.
  const [marked, numbered] = [await anotherDatabase(plain), await anotherDatabase(plain)];
  const owner = postgres(numbered.ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner.unsafe('alter table predictions add column written_by xid8 default pg_current_xact_id()');
    await owner.unsafe('create index on predictions (tenant_id, model_version_id, written_by)');
    await owner.end();
    const recorders = [
      await startRecorder(plain, false),
      await startRecorder(marked, true),
      await startRecorder(numbered, false),
    ] as const;
    const names = ['no one wants to know', 'a mark a statement and day', 'xid8 column and its index'];
    for (const [count, rounds] of [
      [1, 400],
      [100, 100],
      [2_000, 20],
    ] as const) {
      const found = await measure(
        recorders.map((recorder, n) => ({ name: names[n] ?? '', run: () => recorder.record(count) })),
        { rounds, warmUp: 3 },
      );
      printTable(
        `recordPredictions of ${count}`,
        found.map(({ name, medianMs, ratio }) => ({ 'days are known by': name, ms: medianMs, ratio })),
      );
    }
    await Promise.all(recorders.map((recorder) => recorder.end()));
  } finally {
    await owner.end();
    await plain.end();
  }
}
