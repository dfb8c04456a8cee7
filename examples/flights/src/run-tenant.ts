import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Database, withTenant } from '@mcp-hub/db-core';
import { setTrialRun } from '@mcp-hub/training';
import type { Flight, FlightTenant } from './flights.ts';
import { plannedVersions, type VersionPlan } from './late-arrival-models.ts';
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
  readonly durations: Durations;
}

export interface VersionReport extends RunReport {
  readonly version: string;
  /** Whether this run of the example registered it. */
  readonly isNew: boolean;
}

/**
 * One tenant's way: the study, the training runs of the two versions that were thought of and of the one that the study
 * found, each registered and linked to its run, and the way of the first two through the registry.
 */
export async function runTenant(
  db: Database,
  tenant: FlightTenant,
  flights: readonly Flight[],
  url: string,
): Promise<TenantReport> {
  // At once: while the study's process starts, the runs have the processor.
  const [tuning, planned] = await Promise.all([tuneModel(db, tenant, flights, url), makePlanned(db, tenant, flights)]);
  const tuned = await makeVersion(db, tenant, planOf(tuning.best), flights);
  const versions = [...planned, tuned];
  await withTenant(db, tenant, (tx) => setTrialRun(tx, { trialId: tuning.best.id, runId: tuned.run.id }));
  return {
    tenant,
    flights: flights.length,
    versions,
    tuning,
    best: await findBestRun(db, tenant),
    tour: await tourRegistry(db, tenant),
    durations: await readDurations(db, tenant, { runs: versions.map(({ run }) => run), trials: tuning.trials }),
  };
}

async function makePlanned(db: Database, tenant: FlightTenant, flights: readonly Flight[]): Promise<VersionReport[]> {
  const made: VersionReport[] = [];
  for (const plan of plannedVersions) made.push(await makeVersion(db, tenant, plan, flights));
  return made;
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
  return { ...report, version: plan.version, isNew };
}

function writeFiles(tenant: FlightTenant, { artifact, scores }: TrainedVersion): void {
  const folder = join(artifacts, tenant);
  mkdirSync(folder, { recursive: true });
  for (const { path, content } of [artifact, scores]) writeFileSync(join(folder, path), content);
}
