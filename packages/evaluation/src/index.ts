export * from './comparisons/compare-versions.ts';
export * from './comparisons/comparisons.ts';
export { adjustFamily, type ComparisonNumbers, decideComparison } from './comparisons/decide-comparison.ts';
export * from './evaluations/confusion.ts';
export * from './evaluations/curves.ts';
export {
  EvaluateBinaryInput,
  evaluateBinary,
  MeasureBinaryInput,
  measureBinary,
} from './evaluations/evaluate-binary.ts';
export * from './evaluations/evaluate-multiclass.ts';
export * from './evaluations/evaluate-ranking.ts';
export * from './evaluations/evaluate-regression.ts';
export type * from './evaluations/evaluation-parts.ts';
export * from './evaluations/evaluations.ts';
export * from './evaluations/feature-importance.ts';
export * from './evaluations/list-metrics.ts';
export {
  type PermutationImportanceInput,
  type PermutedFeature,
  permutationImportance,
} from './evaluations/permutation-importance.ts';
export type { RecordedEvaluation } from './evaluations/store-evaluation.ts';
export * from './gates/approvals.ts';
export * from './gates/decide-gate.ts';
export * from './gates/decisions.ts';
export type { ComparisonInput, GateInputs, MetricInput } from './gates/gate-inputs.ts';
export * from './gates/gate-policy.ts';
export type { ClauseResult, GateVerdict } from './gates/judge-gate.ts';
export {
  type Gate,
  ListGatesInput,
  listGates,
  RemoveGateInput,
  removeGate,
  SetGateInput,
  setGate,
} from './gates/set-gate.ts';
export * from './limits.ts';
export { higherIsBetter } from './metric-direction.ts';
export * from './schema.ts';
export {
  EvaluateBinaryQueryInput,
  evaluateBinaryQuery,
  MeasureBinaryQueryInput,
  measureBinaryQuery,
} from './sql/evaluate-binary-query.ts';
export { EvaluateMulticlassQueryInput, evaluateMulticlassQuery } from './sql/evaluate-multiclass-query.ts';
export { EvaluateRegressionQueryInput, evaluateRegressionQuery } from './sql/evaluate-regression-query.ts';
