import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { sql } from 'drizzle-orm';
import * as exported from '../../src/index.ts';

// What a new export has to be told to: the world that it is called in, and its input there. Isolation, events and the
// README's table are held against all of them.

/** Exports that touch no tenant's rows: what computes only, and what makes a handler of a dispatcher. */
export const withoutTenant: readonly string[] = [
  'TrialPruned',
  'activeParams',
  'checkFixedParams',
  'checkParams',
  'gridSize',
  'staleRunsHandler',
  'staleTrialsHandler',
  'suggestParams',
];

/** Exports that take a database and a tenant, because what they do must not hold a transaction. */
export const enteringFunctions: readonly string[] = ['askTrial', 'purgeRuns', 'purgeStudies', 'runStudy'];

/** Exports that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && ![...withoutTenant, ...enteringFunctions].includes(name))
  .map(([name]) => name)
  .sort();

type Callable = (...given: readonly unknown[]) => Promise<unknown>;

function functionNamed(name: string): Callable {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return found as Callable;
}

export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  return await functionNamed(name)(tx, input);
}

/** In a transaction of its own where it takes one. */
export async function callInTenant(db: Database, tenant: string, name: string, input: unknown): Promise<unknown> {
  if (enteringFunctions.includes(name)) return await functionNamed(name)(db, tenant, input);
  return await withTenant(db, tenant, (tx) => callFunction(tx, name, input));
}

/** What a caller can name. */
export interface World {
  /** Runs under a lease, with a point, a param, a tag and an artifact, and produced `linkedVersionId`. */
  readonly runId: string;
  readonly fencingToken: number;
  /** A queued run, child of the first. */
  readonly queuedRunId: string;
  /** Has failed, once. */
  readonly failedRunId: string;
  readonly deletedRunId: string;
  readonly linkedVersionId: string;
  readonly versionId: string;
  /** Searched at random, with a median pruner; has a trial that runs, one that is complete, one whose lease is over and one that waits. */
  readonly studyId: string;
  readonly trialLease: exported.TrialLease;
  readonly stoppedStudyId: string;
  readonly deletedStudyId: string;
}

/** Also holds a run whose lease is over. */
export async function makeWorld(tx: TenantTx): Promise<World> {
  const { id: versionId } = await registerVersion(tx, { name: 'm' });
  const { id: linkedVersionId } = await registerVersion(tx, { name: 'm' });
  const facts = { name: 'r', group: 'g', datasetDigest: 'sha256:1f', params: { lr: '0.1' }, tags: { k: 'v' } };
  const { id: runId, fencingToken } = await exported.createRun(tx, { ...facts, start: true, leaseMs: 60_000 });
  const lease = { runId, fencingToken };
  await exported.logBatch(tx, { ...lease, points: [{ key: 'loss', value: 1, step: 1 }] });
  await exported.recordArtifacts(tx, { ...lease, artifacts: [{ path: 'model.onnx', kind: 'model', bytes: 12 }] });
  await exported.linkRunModel(tx, { ...lease, versionId: linkedVersionId });
  const { id: queuedRunId } = await exported.createRun(tx, { name: 'queued', parentRunId: runId });
  const { id: failedRunId } = await exported.createRun(tx, { name: 'failed', start: true });
  await exported.finishRun(tx, { runId: failedRunId, status: 'failed', error: 'e' });
  const { id: deletedRunId } = await exported.createRun(tx, { name: 'deleted' });
  await exported.deleteRun(tx, { runId: deletedRunId });
  const { id: lateRunId } = await exported.createRun(tx, { name: 'late', start: true, leaseMs: 60_000 });
  await tx.execute(sql`update training_runs set leased_until = app_now() where id = ${lateRunId}::uuid`);
  return {
    ...lease,
    ...{ queuedRunId, failedRunId, deletedRunId, linkedVersionId, versionId },
    ...(await makeStudies(tx)),
  };
}

async function makeStudies(
  tx: TenantTx,
): Promise<Pick<World, 'studyId' | 'trialLease' | 'stoppedStudyId' | 'deletedStudyId'>> {
  const searchSpace = { x: { type: 'float', low: 0, high: 1 } } as const;
  const facts = { searchSpace, sampler: { kind: 'random' }, seed: 7 } as const;
  const { id: studyId } = await exported.createStudy(tx, { ...facts, name: 's', pruner: { kind: 'median' } });
  const { id: stoppedStudyId } = await exported.createStudy(tx, { ...facts, name: 'stopped' });
  await exported.stopStudy(tx, { studyId: stoppedStudyId });
  const { id: deletedStudyId } = await exported.createStudy(tx, { ...facts, name: 'deleted' });
  await exported.deleteStudy(tx, { studyId: deletedStudyId });
  // As askTrial leaves them, which enters a tenant by itself.
  const given = [0.1, 0.2, 0.3, 0.4].map((x) => ({ params: { x } }));
  const [running, complete, late] = await exported.enqueueTrials(tx, { studyId, trials: given });
  const leaseOf = async (trial: exported.EnqueuedTrial | undefined, end = '1 hour') => {
    const trialId = trial?.trialId ?? '';
    await tx.execute(sql`
      update hyperparameter_trials
         set status = 'running', params = fixed_params, attempt = 1, fencing_token = 7, started_at = app_now(),
             leased_until = app_now() + ${end}::interval
       where id = ${trialId}::uuid`);
    return { trialId, fencingToken: 7 };
  };
  await exported.tellTrial(tx, { lease: await leaseOf(complete), values: 1 });
  await leaseOf(late, '0');
  const trialLease = await leaseOf(running);
  await exported.reportTrialValue(tx, { lease: trialLease, step: 1, value: 1 });
  return { studyId, trialLease, stoppedStudyId, deletedStudyId };
}

/** Such as nobody has. */
export const nobodys: World = {
  runId: '01890000-0000-7000-8000-000000000000',
  fencingToken: 1,
  queuedRunId: '01890000-0000-7000-8000-000000000001',
  failedRunId: '01890000-0000-7000-8000-000000000002',
  deletedRunId: '01890000-0000-7000-8000-000000000003',
  linkedVersionId: '01890000-0000-7000-8000-000000000004',
  versionId: '01890000-0000-7000-8000-000000000005',
  studyId: '01890000-0000-7000-8000-000000000006',
  trialLease: { trialId: '01890000-0000-7000-8000-000000000007', fencingToken: 7 },
  stoppedStudyId: '01890000-0000-7000-8000-000000000008',
  deletedStudyId: '01890000-0000-7000-8000-000000000009',
};

/** When all leases of the world have run out. */
export const afterLease = new Date('2100-01-01T00:00:00Z');

/** What each function is called with in a world, where it has all of its work to do. */
export function inputsIn(world: World): Readonly<Record<string, unknown>> {
  const { runId, fencingToken, queuedRunId, failedRunId, deletedRunId, linkedVersionId, versionId } = world;
  const { studyId, trialLease, stoppedStudyId, deletedStudyId } = world;
  const { trialId } = trialLease;
  const lease = { runId, fencingToken };
  return {
    askTrial: { studyId },
    cancelRun: { runId },
    claimRun: { leaseMs: 60_000 },
    countTrials: { studyId },
    createStudy: { name: 'new', searchSpace: { x: { type: 'int', low: 0, high: 9 } } },
    deleteStudy: { studyId },
    enqueueTrial: { studyId, params: { x: 0.5 } },
    enqueueTrials: { studyId, trials: [{ params: { x: 0.5 } }] },
    findBestTrial: { studyId },
    getBestTrial: { studyId },
    findStudy: { studyId },
    findTrial: { trialId },
    getStudy: { studyId },
    getTrial: { trialId },
    heartbeatTrial: trialLease,
    listParetoTrials: { studyId },
    listStudies: {},
    listStudyEvents: { studyId },
    listTrialValues: { trialId },
    listTrials: { studyId },
    purgeStudies: { deletedBefore: afterLease },
    releaseTrial: trialLease,
    reportTrialValue: { lease: trialLease, step: 2, value: 2 },
    restoreStudy: { studyId: deletedStudyId },
    resumeStudy: { studyId: stoppedStudyId },
    runStudy: { studyId, objective: () => 1, maxTrials: 1 },
    setTrialRun: { trialId, runId: failedRunId },
    stopStudy: { studyId },
    sweepStaleTrials: { studyId },
    tellTrial: { lease: trialLease, values: 1 },
    createRun: { name: 'new', parentRunId: runId, params: { lr: '1' }, tags: { k: 'v' } },
    deleteRun: { runId: failedRunId },
    diffRuns: { runIds: [runId, failedRunId] },
    findRun: { runId },
    finishRun: lease,
    getManifest: { runId },
    getRun: { runId },
    heartbeatRun: { ...lease, leaseMs: 60_000 },
    linkRunModel: { runId, versionId },
    compareMetric: { runIds: [runId, queuedRunId], key: 'loss' },
    listArtifacts: { runId },
    listChildRuns: { runId },
    listGroups: {},
    listMetricKeys: { runId },
    listMetricPoints: { runId, key: 'loss' },
    listRunEvents: { runId },
    listRunModels: { versionId: linkedVersionId },
    logBatch: { ...lease, points: [{ key: 'loss', value: 2, step: 2 }], params: { depth: '3' }, tags: { k: 'w' } },
    logMetric: { ...lease, key: 'loss', value: 2, step: 2 },
    logParam: { ...lease, key: 'depth', value: '3' },
    purgeRuns: { deletedBefore: afterLease },
    recordArtifacts: { ...lease, artifacts: [{ path: 'plot.svg' }] },
    removeRunTag: { runId, key: 'k' },
    restoreRun: { runId: deletedRunId },
    retryRun: { runId: failedRunId },
    sampleMetricPoints: { runId, key: 'loss' },
    searchRunModels: { filter: `run_id IN ('${runId}')` },
    searchRuns: { filter: `run_id = '${runId}'` },
    setRunTag: { runId, key: 'k', value: 'w' },
    startRun: { runId: queuedRunId, leaseMs: 60_000 },
    sweepStaleRuns: {},
    unlinkRunModel: { runId, versionId: linkedVersionId },
    updateRun: { runId, name: 'renamed' },
  };
}
