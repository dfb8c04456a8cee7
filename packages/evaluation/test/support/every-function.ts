import { type TenantTx, tenantOf, toId } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { createRun } from '@mcp-hub/training';
import { and, eq, sql } from 'drizzle-orm';
import * as exported from '../../src/index.ts';
import { dataset, scoredRows } from './rows.ts';

// What a new export has to be told to: the world that it is called in, and its input there. Isolation, events and the
// README's table are held against all of them.

/** Exports that touch no tenant's rows: what computes only. */
export const withoutTenant: readonly string[] = [
  'adjustFamily',
  'decideComparison',
  'higherIsBetter',
  'measureBinary',
  'permutationImportance',
  'replayDecision',
];

/** Exports that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutTenant.includes(name))
  .map(([name]) => name)
  .sort();

type Callable = (...given: readonly unknown[]) => Promise<unknown>;

/** An input that is a function makes it of the transaction, as that of a query has to be. */
export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as Callable)(tx, typeof input === 'function' ? input(tx) : input);
}

/** What a caller can name. */
export interface World {
  /** Has versions 1, in production, and 2. */
  readonly model: string;
  readonly versionId: string;
  readonly baselineId: string;
  readonly runId: string;
  /** Of version 2, by slices, with importances by gain. */
  readonly evaluationId: string;
  /** Of version 2 with version 1, in the family `march`. */
  readonly comparisonId: string;
  /** Of the gate `quality` on production, which passes version 2. */
  readonly decisionId: string;
}

const { labels, scores, origin } = scoredRows(60);
const bits = Array.from(scores, (score) => (score >= 0.5 ? 1 : 0));
const policy = { clauses: [{ kind: 'metric' as const, metric: 'accuracy', min: 0 }] };

/** Entered by an actor. */
export async function makeWorld(tx: TenantTx): Promise<World> {
  const model = 'm';
  const { id: baselineId } = await registerVersion(tx, { name: model });
  const { id: versionId } = await registerVersion(tx, { name: model });
  const { id: runId } = await createRun(tx, { name: 'r' });
  const { id: evaluationId } = await exported.evaluateBinary(tx, {
    ...{ versionId, dataset, labels, scores, slices: { origin }, minSliceRows: 5 },
  });
  const features = [{ feature: 'distance', value: 0.4 }];
  await exported.recordFeatureImportance(tx, { evaluationId, method: 'gain', features });
  const { id: comparisonId } = await exported.compareVersions(tx, {
    ...{ baseline: { versionId: baselineId, outputs: bits }, candidate: { versionId, outputs: labels } },
    ...{ labels, dataset, test: 'mcnemar_mid_p', family: { name: 'march' } },
  });
  await exported.setGate(tx, { name: model, stage: 'production', gate: 'quality', policy });
  await exported.approveVersion(tx, { name: model, version: '2', stage: 'production' });
  const { decisions } = await exported.decideGate(tx, { name: model, version: '2', stage: 'production' });
  return { model, versionId, baselineId, runId, evaluationId, comparisonId, decisionId: decisions[0]?.id ?? '' };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has. */
export const nobodys: World = {
  ...{ model: 'nobodys', versionId: nobodysId, baselineId: nobodysId, runId: nobodysId },
  ...{ evaluationId: nobodysId, comparisonId: nobodysId, decisionId: nobodysId },
};

/** A version as a row of label 1 and score 1, whatever that is good for. */
function versionsOf(tx: TenantTx, id: string) {
  const rows = tx
    .select({ label: sql<number>`1`.as('label'), score: sql<number>`1.0`.as('score') })
    .from(modelRegistry)
    .where(and(eq(modelRegistry.tenantId, tenantOf(tx)), eq(modelRegistry.id, toId(id, 'id'))))
    .as('rows');
  return { rows, columns: { label: rows.label, score: rows.score } };
}

/** An input for each function that names what is in the world. */
export function inputsIn(world: World): Readonly<Record<string, unknown>> {
  const { model: name, versionId, baselineId, runId, evaluationId, comparisonId, decisionId } = world;
  const subject = { name, version: '2', stage: 'production' } as const;
  const facts = { versionId, runId, dataset };
  return {
    approveVersion: subject,
    compareVersions: {
      ...{ baseline: { versionId: baselineId, outputs: bits }, candidate: { versionId, outputs: labels } },
      ...{ labels, dataset, test: 'mcnemar_exact', family: { name: 'march' } },
    },
    decideGate: subject,
    deleteComparison: { comparisonId },
    deleteEvaluation: { evaluationId },
    evaluateBinary: { ...facts, labels, scores, slices: { origin }, minSliceRows: 5 },
    evaluateBinaryQuery: (tx: TenantTx) => ({ ...facts, ...versionsOf(tx, versionId) }),
    evaluateMulticlass: { ...facts, labels, predicted: bits },
    evaluateMulticlassQuery: (tx: TenantTx) => {
      const { rows, columns } = versionsOf(tx, versionId);
      return { ...facts, rows, columns: { label: columns.label, predicted: columns.score } };
    },
    evaluateRanking: { ...facts, queries: [{ relevance: [1, 0], scores: [0.2, 0.1] }] },
    evaluateRegression: { ...facts, actual: labels, predicted: scores },
    evaluateRegressionQuery: (tx: TenantTx) => {
      const { rows, columns } = versionsOf(tx, versionId);
      return { ...facts, rows, columns: { actual: columns.label, predicted: columns.score } };
    },
    getComparison: { comparisonId },
    getConfusionMatrix: { evaluationId },
    getEvaluation: { evaluationId },
    getGateDecision: { decisionId },
    listApprovals: { name, version: '2' },
    listCalibrationBins: { evaluationId },
    listComparisons: { filter: `candidate_version_id = '${versionId}'` },
    listEvaluationMetrics: { evaluationId },
    listEvaluations: { filter: `version_id = '${versionId}'` },
    listFeatureImportance: { evaluationId },
    listGateDecisions: { filter: `version_id = '${versionId}'` },
    listGates: { name },
    listThresholds: { evaluationId },
    listWorstSlices: { evaluationId, metric: 'roc_auc' },
    measureBinaryQuery: (tx: TenantTx) => versionsOf(tx, versionId),
    promoteThroughGate: subject,
    recordFeatureImportance: { evaluationId, method: 'permutation', features: [{ feature: 'hour', value: 1 }] },
    removeGate: { name, stage: 'production', gate: 'quality' },
    setGate: { name, stage: 'production', gate: 'people', policy },
    withdrawApproval: subject,
  };
}
