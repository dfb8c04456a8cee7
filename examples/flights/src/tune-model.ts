import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import {
  countTrials,
  getBestTrial,
  getTrial,
  listTrials,
  runStudy,
  sweepStaleTrials,
  type Trial,
} from '@mcp-hub/training';
import { actor } from './actor.ts';
import type { Flight, FlightTenant } from './flights.ts';
import { ensureStudy, TRIALS, tuningObjective } from './tuning-study.ts';
import { startWorkerProcess } from './worker-process.ts';

const WORKERS = 4;

/** What the study has come to, read from the database. */
export interface TuningReport {
  readonly best: Trial;
  readonly trials: readonly Trial[];
  readonly workers: number;
}

/**
 * Runs the study with four workers, of which one is killed in the middle of its trial. Run again, it finds the trials ended.
 */
export async function tuneModel(
  db: Database,
  tenant: FlightTenant,
  flights: readonly Flight[],
  url: string,
): Promise<TuningReport> {
  const { id: studyId } = await ensureStudy(db, tenant);
  const objective = tuningObjective(db, tenant, flights);
  const counts = await readOne(db, tenant, (tx) => countTrials(tx, { studyId }));
  const isNew = Object.values(counts).every((count) => count === 0);
  if (isNew) {
    const worker = await startWorkerProcess(tenant, url);
    const others = { studyId, objective, workers: WORKERS - 1, maxTrials: TRIALS - 1 };
    await Promise.all([runStudy(db, tenant, others, { actor }), worker.kill()]);
    await handOn(db, tenant, studyId, worker.number);
  }
  // The trial that was handed on; and what is left where an earlier run of the example was broken off.
  await runStudy(db, tenant, { studyId, objective, workers: WORKERS }, { actor });
  return await withTenant(db, tenant, async (tx) => ({
    best: await getBestTrial(tx, { studyId }),
    trials: (await listTrials(tx, { studyId })).items,
    workers: WORKERS,
  }));
}

/** The sweep, as the dispatcher runs it when a lease has run out. Its clock is set to then: nobody has to wait a minute. */
async function handOn(db: Database, tenant: string, studyId: string, number: number): Promise<void> {
  const { leasedUntil } = await readOne(db, tenant, (tx) => getTrial(tx, { studyId, number }));
  // On a machine so slow that the lease ran out meanwhile, another worker has taken the trial up by itself.
  if (leasedUntil === null) return;
  const swept = await withTenant(db, tenant, (tx) => sweepStaleTrials(tx, { studyId }), { actor, now: leasedUntil });
  if (swept.waiting !== 1) throw new Error(`The sweep handed on ${swept.waiting} trials, not the one that was lost.`);
}
