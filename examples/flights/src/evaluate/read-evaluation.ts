import type { TenantTx } from '@mcp-hub/db-core';
import {
  type CalibrationPoint,
  type Evaluation,
  type EvaluationMetric,
  type FeatureImportance,
  getConfusionMatrix,
  getEvaluation,
  listCalibrationBins,
  listEvaluationMetrics,
  listFeatureImportance,
  listThresholds,
  listWorstSlices,
  type StoredConfusion,
  type ThresholdPoint,
} from '@mcp-hub/evaluation';

/** An evaluation as the database has it. */
export interface EvaluationReport {
  readonly evaluation: Evaluation;
  /** Of all flights, by name. */
  readonly metrics: ReadonlyMap<string, EvaluationMetric>;
  /** Airports by the area under their ROC curves, the worst first. */
  readonly slices: readonly EvaluationMetric[];
  readonly confusion: StoredConfusion;
  /** The highest first. */
  readonly thresholds: readonly ThresholdPoint[];
  readonly bins: readonly CalibrationPoint[];
  /** The most important feature first. */
  readonly importance: readonly FeatureImportance[];
}

/** All that the database has of an evaluation, but for the other metrics of its slices. */
export async function readEvaluation(tx: TenantTx, evaluationId: string): Promise<EvaluationReport> {
  const whole = await listEvaluationMetrics(tx, { evaluationId, filter: "slice_feature = ''" });
  return {
    evaluation: await getEvaluation(tx, { evaluationId }),
    metrics: new Map(whole.items.map((row) => [row.metric, row])),
    slices: (await listWorstSlices(tx, { evaluationId, metric: 'roc_auc', feature: 'origin' })).items,
    confusion: await getConfusionMatrix(tx, { evaluationId }),
    thresholds: await listThresholds(tx, { evaluationId }),
    bins: await listCalibrationBins(tx, { evaluationId }),
    importance: (await listFeatureImportance(tx, { evaluationId, method: 'permutation' })).items,
  };
}
