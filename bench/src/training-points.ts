import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Database, newId, tenantOf, withTenant } from '@mcp-hub/db-core';
import { logBatch, trainingRuns } from '@mcp-hub/training';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';

const tenant = 'bench';
const keysOfRun = 20;
const firstTime = Date.UTC(2026, 0, 1);

interface Point {
  readonly key: string;
  readonly keyId: number;
  readonly step: number;
  readonly at: Date;
  readonly value: number;
}

/** As a training loop logs them: step by step, all keys of each. The steps go on from batch to batch. */
function pointSource(): (size: number) => readonly Point[] {
  let step = 0;
  return (size) => {
    const keys = Math.min(keysOfRun, size);
    const points: Point[] = [];
    while (points.length < size) {
      step += 1;
      const at = new Date(firstTime + step * 1_000);
      for (let keyId = 1; keyId <= keys && points.length < size; keyId += 1) {
        points.push({ key: `metric ${keyId}`, keyId, step, at, value: 1 / (step + keyId) });
      }
    }
    return points;
  };
}

/** Else a small COPY waits 40 ms and more for the server's delayed acknowledgements, which would make it a poor reference. */
function withoutDelay(url: string): object {
  const { hostname, port } = new URL(url);
  const socket = async () => {
    const connection = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(connection, 'connect');
    return connection;
  };
  return { socket };
}

/** Several clients at once, each of which does its share of the batches one after the other. */
async function inParallel(clients: number, batches: number, act: (client: number) => Promise<void>): Promise<void> {
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let batch = 0; batch < batches / clients; batch += 1) await act(client);
    }),
  );
}

/** Points a second by logBatch, beside COPY of the same rows into the same table without row level security. */
export async function benchPoints(db: Database, ownerUrl: string, rounds = 5): Promise<void> {
  const owner = postgres(ownerUrl, { max: 8, onnotice: () => {}, ...withoutDelay(ownerUrl) });
  await owner`create schema if not exists bare`;
  await owner`drop table if exists bare.training_metrics`;
  await owner`create table bare.training_metrics (like training_metrics including all)`;
  const newRun = async () => {
    const [run] = await withTenant(db, tenant, (tx) =>
      tx
        .insert(trainingRuns)
        .values({ name: 'bench', tenantId: tenantOf(tx) })
        .returning({ id: trainingRuns.id }),
    );
    return run?.id ?? '';
  };
  const rows: Record<string, string | number>[] = [];
  for (const size of [10, 500, 10_000]) {
    const batches = size === 10 ? 400 : size === 500 ? 80 : 8;
    for (const [clients, runs] of [
      [1, 1],
      [8, 8],
      [8, 1],
    ] as const) {
      const logged = await writers(clients, runs, newRun);
      const copied = await writers(clients, runs, async () => newId());
      const measured = await measure(
        [
          {
            name: 'COPY',
            run: () =>
              inParallel(clients, batches, (client) =>
                copy(owner, copied[client]?.run ?? '', copied[client]?.next(size) ?? []),
              ),
          },
          {
            name: 'logBatch',
            run: () =>
              inParallel(clients, batches, async (client) => {
                const points = (logged[client]?.next(size) ?? []).map(({ key, step, at, value }) => ({
                  key,
                  step,
                  at,
                  value,
                }));
                await withTenant(db, tenant, (tx) => logBatch(tx, { runId: logged[client]?.run ?? '', points }));
              }),
          },
        ],
        { rounds, warmUp: 1 },
      );
      const rate = measured.map(({ medianMs }) => Math.round((batches * size) / (medianMs / 1_000)));
      rows.push({
        'points a batch': String(size),
        clients,
        runs,
        'COPY points/s': rate[0] ?? 0,
        'logBatch points/s': rate[1] ?? 0,
        'share of COPY': (rate[1] ?? 0) / (rate[0] ?? 1),
        aim: size === 10_000 ? '0.5' : '',
      });
    }
  }
  printTable('Logging points', rows);
  await owner.end();
}

/** Writers of one run have steps of their own, as workers of one training job. */
async function writers(clients: number, runs: number, newRun: () => Promise<string>) {
  const ids = await Promise.all(Array.from({ length: runs }, newRun));
  const sources = ids.map(() => pointSource());
  return Array.from({ length: clients }, (_, client) => ({
    run: ids[client % runs] ?? '',
    next: sources[client % runs] ?? pointSource(),
  }));
}

/** With the lines written from the points, as whoever copies has to. */
async function copy(owner: postgres.Sql, run: string, points: readonly Point[]): Promise<void> {
  let text = '';
  for (const { keyId, step, at, value } of points) {
    text += `${tenant}\t${run}\t${keyId}\t${step}\t${at.toISOString()}\t${value}\n`;
  }
  const sink =
    await owner`copy bare.training_metrics (tenant_id, run_id, key_id, step, at, value) from stdin`.writable();
  await pipeline(Readable.from([text]), sink);
}
