import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { getBestTrial, listTrials, runStudy } from '@mcp-hub/training';
import { type HistoryRows, readHistory } from '../src/charts/history-charts.ts';
import { type JudgedVersions, judgeVersions } from '../src/evaluate/judge-versions.ts';
import { flightsOf, loadFlights } from '../src/flights.ts';
import { plannedVersions, type VersionPlan } from '../src/late-arrival-models.ts';
import { readRun } from '../src/read-training.ts';
import { registerTrained } from '../src/register-trained.ts';
import { tourRegistry } from '../src/registry-tour.ts';
import { type TrainedVersion, trainRun } from '../src/train-run.ts';
import { ensureStudy, planOf, tuningObjective } from '../src/tuning-study.ts';

export const tenant = 'coast';

export interface JudgedCoast {
  readonly trained: readonly [TrainedVersion, TrainedVersion, TrainedVersion];
  readonly judged: JudgedVersions;
  readonly history: HistoryRows;
}

/** The way of one tenant from the study to the gate as the example goes it, but in this process and without files. */
export async function judgeCoast(db: Database): Promise<JudgedCoast> {
  const flights = flightsOf(loadFlights(), tenant);
  const read = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(db, tenant, work, { actor: 'test' });
  const uriOf = (path: string) => path;
  const train = async (plan: VersionPlan) => {
    const made = await trainRun(db, tenant, plan, flights, uriOf);
    await registerTrained(db, tenant, made, uriOf);
    return made;
  };
  const { id: studyId } = await ensureStudy(db, tenant);
  await runStudy(db, tenant, { studyId, objective: tuningObjective(db, tenant, flights) }, { actor: 'test' });
  const [first, second] = plannedVersions;
  const tuned = planOf(await read((tx) => getBestTrial(tx, { studyId })));
  const trained = [await train(first), await train(second), await train(tuned)] as const;
  await tourRegistry(db, tenant);
  const judged = await judgeVersions(db, tenant, trained);
  const history = await read(async (tx) => {
    const runs = await Promise.all(trained.map(async ({ runId }) => (await readRun(tx, runId)).run));
    return await readHistory(tx, { runs, trials: (await listTrials(tx, { studyId })).items });
  });
  return { trained, judged, history };
}
