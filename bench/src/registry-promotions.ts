import { type Database, withTenant } from '@mcp-hub/db-core';
import { registerVersion, searchVersions, transitionStage } from '@mcp-hub/registry';
import { printTable } from './report.ts';

const workers = 8;
const promotionsPerWorker = 50;

/** Promotions by eight workers at once, each of which archives the version that served before. */
export async function benchPromotions(db: Database): Promise<void> {
  const rows = [];
  for (const models of [1, workers]) rows.push(await promote(db, models));
  printTable(`Promotions by ${workers} workers, ${promotionsPerWorker} each`, rows);
}

async function promote(db: Database, models: number): Promise<Readonly<Record<string, string | number>>> {
  const tenant = `promotions-${models}`;
  const modelOf = (worker: number) => `model ${worker % models}`;
  const versions = await withTenant(db, tenant, async (tx) => {
    const made: string[][] = [];
    for (let worker = 0; worker < workers; worker += 1) {
      const own: string[] = [];
      for (let count = 0; count < promotionsPerWorker; count += 1) {
        own.push((await registerVersion(tx, { name: modelOf(worker) })).version);
      }
      made.push(own);
    }
    return made;
  });
  const times: number[] = [];
  let errors = 0;
  const start = performance.now();
  await Promise.all(
    versions.map(async (own, worker) => {
      for (const version of own) {
        const began = performance.now();
        try {
          await withTenant(db, tenant, (tx) =>
            transitionStage(tx, { name: modelOf(worker), version, stage: 'production' }),
          );
        } catch {
          errors += 1;
        }
        times.push(performance.now() - began);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1_000;
  const serving = await withTenant(db, tenant, (tx) => searchVersions(tx, { filter: "stage = 'production'" }));
  times.sort((one, other) => one - other);
  return {
    models,
    'promotions a second': times.length / seconds,
    'median ms': times[times.length >> 1] ?? Number.NaN,
    'p95 ms': times[Math.floor(times.length * 0.95)] ?? Number.NaN,
    errors,
    'in production after': serving.items.length,
  };
}
