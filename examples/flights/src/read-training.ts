import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  getManifest,
  getRun,
  listRunModels,
  type Manifest,
  type MetricPoint,
  type Run,
  type RunModel,
  sampleMetricPoints,
  searchRuns,
} from '@mcp-hub/training';
import { modelName } from './late-arrival-models.ts';

/** A run as the database has it. */
export interface RunReport {
  readonly run: Run;
  /** Of each metric the first, the smallest, the largest and the last point; steps are epochs. */
  readonly curves: readonly { readonly key: string; readonly points: readonly MetricPoint[] }[];
  readonly manifest: Manifest;
}

/** What the database has of one run. */
export async function readRun(tx: TenantTx, runId: string): Promise<RunReport> {
  const curveOf = async (key: string) => ({ key, points: await sampleMetricPoints(tx, { runId, key, maxPoints: 5 }) });
  return {
    run: await getRun(tx, { runId }),
    curves: [await curveOf('loss'), await curveOf('auc')],
    manifest: await getManifest(tx, { runId }),
  };
}

/** The run with the best AUC on March of those that gave a version, and that version. */
export async function findBestRun(db: Database, tenant: string): Promise<{ run: Run; model: RunModel }> {
  return await withTenant(db, tenant, async (tx) => {
    const { items } = await searchRuns(tx, {
      filter: `group = '${modelName}' AND outputs.\`${modelName}\` IS NOT NULL`,
      orderBy: 'metrics.auc DESC',
      limit: 1,
    });
    const [run] = items;
    const model = run && (await listRunModels(tx, { runId: run.id })).items[0];
    if (run === undefined || model === undefined) throw new Error('No run is linked to a version.');
    return { run, model };
  });
}
