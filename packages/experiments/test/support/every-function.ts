import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { eq } from 'drizzle-orm';
import * as exported from '../../src/index.ts';

// What a new export has to be told to: the world that it is called in, and its input there. Isolation and the README's
// tables are held against all of them.

/** Exports that take no transaction: what computes only. */
export const withoutTransaction: readonly string[] = [
  'assignUnit',
  'compileAssignment',
  'freeRanges',
  'targetingFields',
];

/** Exports that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutTransaction.includes(name))
  .map(([name]) => name)
  .sort();

type Callable = (tx: TenantTx, input: unknown) => Promise<unknown>;

/** What reads a subquery is given the world's own experiments as units, by their keys. */
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
  /** One that runs, and a unit that it has assigned. */
  readonly runningKey: string;
  readonly unit: string;
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
  const runningKey = 'running';
  await exported.createExperiment(tx, {
    ...{ key: runningKey, hypothesis: 'h', variants: [{ key: 'a' }, { key: 'b' }] },
    metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
  });
  await exported.transitionExperiment(tx, { key: runningKey, status: 'running' });
  const { unit } = await exported.assign(tx, { key: runningKey, unit: 'ada' });
  return { versionId, layerKey, holdoutKey, experimentId, key, runningKey, unit };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has, in the place of what the world has. */
export const nobodys: World = {
  ...{ versionId: nobodysId, experimentId: nobodysId },
  ...{ layerKey: 'nobodys', holdoutKey: 'nobodys', key: 'nobodys', runningKey: 'nobodys', unit: 'nobodys' },
};

/** An input for each function that names what is in the world. */
export function inputsIn(world: World): Readonly<Record<string, unknown>> {
  const { versionId, layerKey, holdoutKey, experimentId, key, runningKey, unit } = world;
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
    createExperiment: {
      ...{ key: 'other', hypothesis: 'h', holdouts: [holdoutKey], layer: { key: layerKey, start: 0.5, end: 1 } },
      variants: [{ key: 'a' }, { key: 'b', modelVersionId: versionId }],
    },
    createHoldout: { key: holdoutKey, share: 0.2 },
    createLayer: { key: layerKey },
    deleteExperiment: { experimentId },
    findExperiment: { key },
    getExperiment: { experimentId },
    getHoldout: { key: holdoutKey },
    getLayer: { key: layerKey },
    listExperimentEvents: { experimentId },
    listExperiments: { filter: `id = '${experimentId}'` },
    listHoldouts: { filter: `key = '${holdoutKey}'` },
    listLayers: { filter: `key = '${layerKey}'` },
    reseedExperiment: { key, seed: 'another' },
    setAllocation: { experimentId, coverage: 0.5 },
    transitionExperiment: { key, status: 'running' },
    updateExperiment: { experimentId, alpha: 0.01, layer: { key: layerKey, start: 0.1, end: 0.2 } },
  };
}
