import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { evaluations, gateDecisions } from '@mcp-hub/evaluation';
import { batchJobs, predictions } from '@mcp-hub/predictions';
import { findVersion, modelRegistry } from '@mcp-hub/registry';
import { mlTelemetrySeries } from '@mcp-hub/telemetry';
import { hyperparameterTrials, trainingRuns } from '@mcp-hub/training';
import { modelName } from './late-arrival-models.ts';

const tables = {
  versions: modelRegistry,
  runs: trainingRuns,
  trials: hyperparameterTrials,
  series: mlTelemetrySeries,
  evaluations,
  decisions: gateDecisions,
  predictions,
  jobs: batchJobs,
};
type Kind = keyof typeof tables;
type Ids = Readonly<Record<Kind, readonly string[]>>;

/** The same names and numbers in all tenants are different rows, and none sees another's. Throws where it is not so. */
export async function showIsolation(db: Database, tenants: readonly string[]): Promise<void> {
  const visible = new Map<string, Ids>();
  for (const tenant of tenants) visible.set(tenant, await withTenant(db, tenant, readVisible));
  console.log('');
  for (const [tenant, own] of visible) {
    for (const [other, foreign] of visible) {
      if (tenant === other) continue;
      for (const kind of Object.keys(tables) as Kind[]) {
        if (own[kind].some((id) => foreign[kind].includes(id))) throw new Error(`${tenant} sees ${kind} of ${other}.`);
      }
      console.log(`tenant ${tenant} sees its own ${countsOf(own)}, and none of ${other}`);
    }
  }
  const nobody = await readOne(db, 'nobody-yet', (tx) => findVersion(tx, { name: modelName, version: '1' }));
  if (nobody !== undefined) throw new Error('A tenant without models sees one.');
  console.log('a tenant without models finds nothing under the same name');
}

/** Without any condition: what comes back is what row level security lets through. */
async function readVisible(tx: TenantTx): Promise<Ids> {
  const idsOf = async (table: (typeof tables)[Kind]) =>
    (await tx.select({ id: table.id }).from(table)).map(({ id }) => id);
  return {
    versions: await idsOf(tables.versions),
    runs: await idsOf(tables.runs),
    trials: await idsOf(tables.trials),
    series: await idsOf(tables.series),
    evaluations: await idsOf(tables.evaluations),
    decisions: await idsOf(tables.decisions),
    predictions: await idsOf(tables.predictions),
    jobs: await idsOf(tables.jobs),
  };
}

const countsOf = (own: Ids) =>
  [
    `${own.versions.length} versions, ${own.runs.length} runs, ${own.trials.length} trials, ${own.series.length} series`,
    `${own.evaluations.length} evaluations, ${own.decisions.length} decisions`,
    `${own.predictions.length} predictions and ${own.jobs.length} batch job`,
  ].join(', ');
