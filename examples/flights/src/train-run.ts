import { type Database, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { type RecordTelemetryInput, recordTelemetry } from '@mcp-hub/telemetry';
import {
  createRun,
  finishRun,
  logBatch,
  type MetricPointInput,
  type Run,
  recordArtifacts,
  searchRuns,
} from '@mcp-hub/training';
import { actor } from './actor.ts';
import type { Flight } from './flights.ts';
import { type FittedVersion, fitVersion, modelName, type VersionPlan } from './late-arrival-models.ts';

/** What a run has come to: the version that it fitted, and the run itself. */
export interface TrainedVersion extends FittedVersion {
  readonly runId: Run['id'];
}

/** Epochs of one batch. */
const LOG_EVERY = 50;

/**
 * Fits a version under a run that keeps its curves, what it put out and how long each epoch took. A run that has succeeded
 * already is left as it is; one that was broken off goes on, since what was logged is known by its key.
 */
export async function trainRun(
  db: Database,
  tenant: string,
  plan: VersionPlan,
  flights: readonly Flight[],
  uriOf: (path: string) => string,
): Promise<TrainedVersion> {
  const { id: runId, status } = await ensureRun(db, tenant, plan);
  if (status === 'succeeded') return { ...(await fitVersion(plan, flights)), runId };
  const fitted = await fitVersion(plan, flights, epochLog(db, tenant, runId, plan));
  const artifacts = [fitted.artifact, fitted.scores].map(({ path, kind, content, sha256 }) => {
    return { path, kind, uri: uriOf(path), bytes: content.byteLength, sha256 };
  });
  await write(db, tenant, async (tx) => {
    await recordArtifacts(tx, { runId, artifacts });
    await finishRun(tx, { runId });
  });
  return { ...fitted, runId };
}

/** The run of the version, made where there is none. */
async function ensureRun(db: Database, tenant: string, plan: VersionPlan): Promise<Pick<Run, 'id' | 'status'>> {
  const name = `version ${plan.version}`;
  const { items } = await readOne(db, tenant, (tx) =>
    searchRuns(tx, { filter: `group = '${modelName}' AND name = '${name}'`, limit: 1 }),
  );
  const params = {
    features: plan.features.names.join(' '),
    epochs: String(plan.epochs),
    learning_rate: String(plan.learningRate),
  };
  return (
    items[0] ??
    (await write(db, tenant, (tx) =>
      createRun(tx, {
        name,
        group: modelName,
        description: plan.description,
        datasetName: 'flights-20k',
        seed: plan.seed,
        params,
        start: true,
        idempotencyKey: `${modelName} ${name}`,
      }),
    ))
  );
}

/** Gathers what the epochs come to, and writes it in batches: the curves to the run, the durations to telemetry. */
function epochLog(db: Database, tenant: string, runId: string, plan: VersionPlan): Parameters<typeof fitVersion>[2] {
  let points: MetricPointInput[] = [];
  let events: RecordTelemetryInput['events'][number][] = [];
  return ({ epoch, loss, durationMs }, heldBackAuc) => {
    points.push({ key: 'loss', step: epoch, value: loss }, { key: 'auc', step: epoch, value: heldBackAuc });
    events.push({ subject: `${modelName}/${plan.version}`, metric: EPOCH_METRIC, unit: 'ms', value: durationMs });
    if (epoch % LOG_EVERY !== 0 && epoch !== plan.epochs) return undefined;
    const batch = { points, events };
    [points, events] = [[], []];
    return write(db, tenant, async (tx) => {
      await logBatch(tx, {
        runId,
        points: batch.points,
        goals: { loss: 'minimize', auc: 'maximize' },
        idempotencyKey: `${runId} to epoch ${epoch}`,
      });
      await recordTelemetry(tx, { events: batch.events });
    });
  };
}

/** The metric under which telemetry has the epochs of all versions. */
export const EPOCH_METRIC = 'training.epoch';

const write = <T>(db: Database, tenant: string, work: (tx: TenantTx) => Promise<T>) =>
  withTenant(db, tenant, work, { actor });
