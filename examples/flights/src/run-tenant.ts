import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Database, withTenant } from '@mcp-hub/db-core';
import { setTrialRun } from '@mcp-hub/training';
import { drawCharts } from './charts/draw-charts.ts';
import { evaluationCharts } from './charts/evaluation-charts.ts';
import { experimentCharts } from './charts/experiment-charts.ts';
import { historyCharts, readHistory } from './charts/history-charts.ts';
import { predictionCharts } from './charts/prediction-charts.ts';
import { type JudgedVersions, judgeVersions } from './evaluate/judge-versions.ts';
import { type ExperimentReport, runExperiment } from './experiment/run-experiment.ts';
import type { Flight, FlightTenant } from './flights.ts';
import { plannedVersions, type VersionPlan } from './late-arrival-models.ts';
import { type MonthReport, predictMonth } from './predict/predict-month.ts';
import type { ProgressBars } from './progress-bars.ts';
import { type Durations, readDurations } from './read-durations.ts';
import { findBestRun, type RunReport, readRun } from './read-training.ts';
import { registerTrained } from './register-trained.ts';
import { type TourReport, tourRegistry } from './registry-tour.ts';
import { type TrainedVersion, trainRun } from './train-run.ts';
import { type TuningReport, tuneModel } from './tune-model.ts';
import { planOf } from './tuning-study.ts';

const artifacts = fileURLToPath(new URL('../../../.mcp-hub/artifacts/flights', import.meta.url));

/** What a tenant has after its way through the pipeline. */
export interface TenantReport {
  readonly tenant: FlightTenant;
  readonly flights: number;
  readonly versions: readonly VersionReport[];
  readonly tuning: TuningReport;
  readonly best: Awaited<ReturnType<typeof findBestRun>>;
  readonly tour: TourReport;
  readonly judged: JudgedVersions;
  readonly month: MonthReport;
  readonly experiment: ExperimentReport;
  /** How many were drawn. */
  readonly charts: number;
  readonly durations: Durations;
}

export interface VersionReport extends RunReport {
  readonly version: string;
  /** Whether this run of the example registered it. */
  readonly isNew: boolean;
  readonly trained: TrainedVersion;
}

/**
 * One tenant's way: the study, the training runs of the two versions that were thought of and of the one that the study
 * found, each registered and linked to its run; the way of the first two through the registry; the evaluation of all three
 * and the gate; the predictions of a month by the one in production; an experiment with the first two; and the charts of it all.
 */
export async function runTenant(
  db: Database,
  tenant: FlightTenant,
  flights: readonly Flight[],
  url: string,
  bars: ProgressBars,
): Promise<TenantReport> {
  // At once: while the study's process starts, the runs have the processor.
  const [tuning, [first, second]] = await Promise.all([
    tuneModel(db, tenant, flights, url),
    makePlanned(db, tenant, flights),
  ]);
  const tuned = await makeVersion(db, tenant, planOf(tuning.best), flights);
  const versions = [first, second, tuned];
  await withTenant(db, tenant, (tx) => setTrialRun(tx, { trialId: tuning.best.id, runId: tuned.run.id }));
  const tour = await tourRegistry(db, tenant);
  const trained = [first.trained, second.trained, tuned.trained] as const;
  const judged = await judgeVersions(db, tenant, trained);
  const onProgress = bars.of(tenant);
  const month = await predictMonth(db, tenant, trained, { url, onProgress });
  const experiment = await runExperiment(db, tenant, [first.trained, second.trained]);
  const steps = { runs: versions.map(({ run }) => run), trials: tuning.trials };
  const history = await withTenant(db, tenant, (tx) => readHistory(tx, steps));
  const charts = new Map([
    ...evaluationCharts(tenant, judged.evaluated),
    ...historyCharts(tenant, history),
    ...predictionCharts(tenant, month),
    ...experimentCharts(tenant, experiment),
  ]);
  await drawCharts(tenant, charts);
  return {
    tenant,
    flights: flights.length,
    versions,
    tuning,
    best: await findBestRun(db, tenant),
    tour,
    judged,
    month,
    experiment,
    charts: charts.size,
    durations: await readDurations(db, tenant, steps),
  };
}

/** One after the other: the study beside them needs the processor too. */
async function makePlanned(db: Database, tenant: FlightTenant, flights: readonly Flight[]) {
  const [first, second] = plannedVersions;
  return [await makeVersion(db, tenant, first, flights), await makeVersion(db, tenant, second, flights)] as const;
}

async function makeVersion(
  db: Database,
  tenant: FlightTenant,
  plan: VersionPlan,
  flights: readonly Flight[],
): Promise<VersionReport> {
  const uriOf = (path: string) => `artifacts/flights/${tenant}/${path}`;
  const trained = await trainRun(db, tenant, plan, flights, uriOf);
  writeFiles(tenant, trained);
  const isNew = await registerTrained(db, tenant, trained, uriOf);
  const report = await withTenant(db, tenant, (tx) => readRun(tx, trained.runId));
  return { ...report, version: plan.version, isNew, trained };
}

function writeFiles(tenant: FlightTenant, { artifact, scores }: TrainedVersion): void {
  const folder = join(artifacts, tenant);
  mkdirSync(folder, { recursive: true });
  for (const { path, content } of [artifact, scores]) writeFileSync(join(folder, path), content);
}
