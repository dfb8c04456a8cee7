import { newId, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { and, eq, sql } from 'drizzle-orm';
import * as exported from '../../src/index.ts';

// What a new export has to be told to: the world that it is called in, and its input there. Isolation and the README's
// tables are held against all of them.

/** Exports that take no transaction: what computes only, or takes a pool and is isolated by a test of its own. */
export const withoutTransaction: readonly string[] = [
  ...['analyse', 'assignUnit', 'compileAssignment', 'decide', 'explainDifference', 'experimentSnapshotHandler'],
  ...['freeRanges', 'planExperiment', 'pruneOutcomes', 'purgeExperimentUnits', 'targetingFields'],
];

/** Exports that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutTransaction.includes(name))
  .map(([name]) => name)
  .sort();

type Callable = (tx: TenantTx, input: unknown) => Promise<unknown>;

/** What reads a subquery is given the world's own rows, by their keys: experiments, or variants as units of theirs. */
export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  if (name === 'assignQuery') {
    const { tenantId, key } = exported.abExperiments;
    const rows = tx
      .select({ unit: key })
      .from(exported.abExperiments)
      .where(eq(tenantId, tenantOf(tx)))
      .as('rows');
    const given = input as exported.AssignQueryInput;
    return await exported.assignQuery(tx, { ...given, rows, columns: { unit: rows.unit } });
  }
  if (name === 'readBaselines') {
    const { abExperiments, abVariants } = exported;
    const rows = tx
      .select({
        outcome: abExperiments.key,
        unit: sql<string>`${abVariants.key}`.as('unit'),
        at: sql<Date>`'2026-05-01Z'::timestamptz`.as('at'),
      })
      .from(abExperiments)
      .innerJoin(
        abVariants,
        and(eq(abVariants.tenantId, abExperiments.tenantId), eq(abVariants.experimentId, abExperiments.id)),
      )
      .as('rows');
    const columns = { outcome: rows.outcome, unit: rows.unit, value: sql`1`, at: rows.at };
    return await exported.readBaselines(tx, { ...(input as exported.ReadBaselinesInput), rows, columns });
  }
  if (name === 'recordExposuresFrom' || name === 'recordOutcomesFrom') {
    const { abVariants } = exported;
    const rows = tx
      .select({
        unit: sql<string>`${abVariants.id}::text`.as('unit'),
        variant: abVariants.key,
        at: sql<Date>`'2026-05-01Z'::timestamptz`.as('at'),
      })
      .from(abVariants)
      .as('rows');
    return await (Reflect.get(exported, name) as Callable)(tx, { ...(input as object), rows });
  }
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as Callable)(tx, input);
}

/** What a caller can name. */
export interface World {
  readonly versionId: string;
  readonly layerKey: string;
  readonly holdoutKey: string;
  /** A draft that could start, in the layer and under the holdout. */
  readonly experimentId: string;
  readonly key: string;
  /** One that runs, with an assigned unit, a snapshot that is the official one, and a decision. */
  readonly runningId: string;
  readonly snapshotId: string;
  /** The running one's key, which is also the unit that was exposed to it and has the outcome. */
  readonly runningKey: string;
  readonly unit: string;
  readonly outcomeId: string;
  /** Of the snapshot: units may be refreshed up to it again. */
  readonly asOf: Date;
}

export const at = new Date('2026-05-04T10:20:30.456Z');

/** Entered at the time above. */
export async function makeWorld(tx: TenantTx): Promise<World> {
  const [layerKey, holdoutKey, key] = ['search', 'global', 'checkout'];
  const { id: versionId } = await registerVersion(tx, { name: 'm' });
  await exported.createLayer(tx, { key: layerKey });
  await exported.createHoldout(tx, { key: holdoutKey, share: 0.1 });
  const { id: experimentId } = await exported.createExperiment(tx, {
    ...{ key, hypothesis: 'h', holdouts: [holdoutKey], layer: { key: layerKey, start: 0, end: 0.5 } },
    variants: [{ key: 'a' }, { key: 'b', modelVersionId: versionId }],
    metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
  });
  const { id: runningId } = await exported.createExperiment(tx, {
    ...{ key: 'running', hypothesis: 'h', variants: [{ key: 'a' }, { key: 'b' }] },
    metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
  });
  await exported.transitionExperiment(tx, { experimentId: runningId, status: 'running' });
  const { id: snapshotId, asOf } = await exported.takeSnapshot(tx, { experimentId: runningId });
  await exported.pinSnapshot(tx, { snapshotId });
  await exported.decideExperiment(tx, { experimentId: runningId });
  const runningKey = 'running';
  const { unit } = await exported.assign(tx, { key: runningKey, unit: 'ada' });
  const outcomeId = newId(at);
  await exported.recordExposures(tx, { exposures: [{ experiment: runningKey, unit: runningKey, variant: 'a' }] });
  await exported.recordOutcomes(tx, { outcomes: [{ id: outcomeId, outcome: 'bought', unit: 'u' }] });
  return {
    versionId,
    layerKey,
    holdoutKey,
    experimentId,
    key,
    runningId,
    snapshotId,
    runningKey,
    unit,
    outcomeId,
    asOf,
  };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has, in the place of what the world has. */
export const nobodys: World = {
  ...{ versionId: nobodysId, experimentId: nobodysId, runningId: nobodysId, snapshotId: nobodysId },
  ...{
    layerKey: 'nobodys',
    holdoutKey: 'nobodys',
    key: 'nobodys',
    runningKey: 'nobodys',
    unit: 'nobodys',
    outcomeId: nobodysId,
    asOf: at,
  },
};

/** An input for each function that names what is in the world. */
export function inputsIn(world: World): Readonly<Record<string, unknown>> {
  const {
    versionId,
    layerKey,
    holdoutKey,
    experimentId,
    key,
    runningId,
    snapshotId,
    runningKey,
    unit,
    outcomeId,
    asOf,
  } = world;
  return {
    assign: { key: runningKey, unit: 'eve' },
    assignQuery: { key: runningKey },
    assignUnits: { key: runningKey, units: [{ unit: 'eve' }, { unit }] },
    countAssignments: { key: runningKey },
    findAssignment: { key: runningKey, unit },
    forceAssignment: { key: runningKey, unit, variantKey: 'a' },
    getAssignment: { key: runningKey, unit },
    listAssignments: { key: runningKey },
    prepareAssignment: { key: runningKey },
    previewAssignments: { key: runningKey, units: [{ unit: 'eve' }] },
    removeForcedAssignment: { key: runningKey, unit },
    compareSnapshots: { from: snapshotId, to: snapshotId },
    createExperiment: {
      ...{ key: 'other', hypothesis: 'h', holdouts: [holdoutKey], layer: { key: layerKey, start: 0.5, end: 1 } },
      variants: [{ key: 'a' }, { key: 'b', modelVersionId: versionId }],
    },
    createHoldout: { key: holdoutKey, share: 0.2 },
    createLayer: { key: layerKey },
    decideExperiment: { experimentId: runningId },
    deleteExperiment: { experimentId },
    findExperiment: { key },
    findOfficialSnapshot: { experimentId: runningId },
    getExperiment: { experimentId },
    getHoldout: { key: holdoutKey },
    getLayer: { key: layerKey },
    getSnapshot: { snapshotId },
    listExperimentDecisions: { filter: `experiment_id = '${runningId}'` },
    listExperimentEvents: { experimentId },
    listExperiments: { filter: `id = '${experimentId}'` },
    listExposureTransitions: { experimentId: runningId, unit: runningKey },
    listHoldouts: { filter: `key = '${holdoutKey}'` },
    listLayers: { filter: `key = '${layerKey}'` },
    listSnapshotPins: { experimentId: runningId },
    listSnapshotResults: { snapshotId },
    listSnapshots: { experimentId: runningId },
    pinSnapshot: { snapshotId },
    readBaselines: {
      ...{ entry: key, metrics: [{ key, kind: 'mean' }] },
      ...{ from: new Date('2026-04-01Z'), to: new Date('2026-05-02Z') },
    },
    readAnalysisInput: { experimentId: runningId, asOf },
    recordExposures: { exposures: [{ experiment: runningKey, unit: 'u', variant: 'a' }] },
    recordExposuresFrom: { experiment: runningKey },
    recordOutcomes: { outcomes: [{ id: outcomeId, outcome: 'bought', unit: 'u' }] },
    recordOutcomesFrom: { outcome: 'bought' },
    refreshUnits: { experimentId: runningId, asOf },
    reseedExperiment: { key, seed: 'another' },
    scheduleSnapshots: { experimentId: runningId },
    setAllocation: { experimentId, coverage: 0.5 },
    takeSnapshot: { experimentId: runningId },
    transitionExperiment: { key, status: 'running' },
    unpinSnapshot: { experimentId: runningId },
    updateExperiment: { experimentId, alpha: 0.01, layer: { key: layerKey, start: 0.1, end: 0.2 } },
    verifySnapshot: { snapshotId },
  };
}
