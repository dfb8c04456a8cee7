export * from './analysis/analyse.ts';
export * from './analysis/analysis.ts';
export * from './analysis/analysis-definition.ts';
export {
  type AnalysisInput,
  type DailyUnits,
  EPOCH_DIMENSION,
  type MetricQuantile,
  type MetricSums,
  type Slice,
} from './analysis/analysis-input.ts';
export { HEALTH_RULES } from './analysis/health.ts';
export { AssignInput, assign } from './assignment/assign.ts';
export { AssignQueryInput, assignQuery, type QueryAssignments } from './assignment/assign-query.ts';
export { AssignUnitsInput, assignUnits, previewAssignments } from './assignment/assign-units.ts';
export type { Assignment, StoredAssignment, Unassigned } from './assignment/assignment.ts';
export {
  type AssignmentDefinition,
  type UnassignedReason,
  type UnitAssignment,
  type UnitAttributes,
  unassignedReasons,
} from './assignment/assignment-definition.ts';
export * from './assignment/compile-assignment.ts';
export * from './assignment/count-assignments.ts';
export * from './assignment/force-assignment.ts';
export * from './assignment/get-assignment.ts';
export * from './assignment/list-assignments.ts';
export { type PreparedAssignment, prepareAssignment, type StoredDefinition } from './assignment/read-definition.ts';
export * from './decisions/decide.ts';
export { DecideExperimentInput, decideExperiment, type ExperimentDecision } from './decisions/decide-experiment.ts';
export * from './decisions/decision.ts';
export * from './decisions/list-experiment-decisions.ts';
export * from './design/create-experiment.ts';
export * from './design/delete-experiment.ts';
export * from './design/free-ranges.ts';
export {
  type ExperimentAllocation,
  type ExperimentDefinition,
  type ExperimentHoldout,
  type ExperimentLayer,
  type ExperimentMetric,
  type ExperimentRow,
  type ExperimentVariant,
  findExperiment,
  GetExperimentInput,
  getExperiment,
} from './design/get-experiment.ts';
export * from './design/holdouts.ts';
export * from './design/layers.ts';
export * from './design/list-experiments.ts';
export {
  type AttributeKind,
  attributeKinds,
  type Targeting,
  TargetingInput,
  targetingFields,
} from './design/targeting.ts';
export * from './design/update-experiment.ts';
export { ExposureInput } from './exposures/exposure-input.ts';
export * from './exposures/record-exposures.ts';
export { experimentMoves } from './lifecycle/legal-moves.ts';
export * from './lifecycle/list-experiment-events.ts';
export * from './lifecycle/reseed-experiment.ts';
export * from './lifecycle/set-allocation.ts';
export * from './lifecycle/transition-experiment.ts';
export * from './limits.ts';
export { OutcomeInput } from './outcomes/outcome-input.ts';
export { type RecordedOutcomes, RecordOutcomesInput, recordOutcomes } from './outcomes/record-outcomes.ts';
export * from './schema.ts';
export * from './snapshots/compare-snapshots.ts';
export { explainDifference, type SnapshotDifference, snapshotDifferences } from './snapshots/explain-difference.ts';
export {
  GetSnapshotInput,
  getSnapshot,
  ListSnapshotResultsInput,
  ListSnapshotsInput,
  listSnapshotResults,
  listSnapshots,
  type SnapshotResultRow,
} from './snapshots/get-snapshot.ts';
export * from './snapshots/pins.ts';
export type { Snapshot, SnapshotSummary } from './snapshots/snapshot.ts';
export * from './snapshots/snapshot-handler.ts';
export * from './snapshots/take-snapshot.ts';
export { type SnapshotVerification, VerifySnapshotInput, verifySnapshot } from './snapshots/verify-snapshot.ts';
export { ReadAnalysisInputInput, readAnalysisInput } from './units/read-analysis-input.ts';
export { type RefreshedUnits, RefreshUnitsInput, refreshUnits } from './units/refresh-units.ts';
