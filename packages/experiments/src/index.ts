export {
  type AnalysisInput,
  type DailyUnits,
  EPOCH_DIMENSION,
  type MetricQuantile,
  type MetricSums,
  type Slice,
} from './analysis/analysis-input.ts';
export { AssignInput, assign } from './assignment/assign.ts';
export type { Assignment, StoredAssignment, Unassigned } from './assignment/assignment.ts';
export {
  type AssignmentDefinition,
  type UnassignedReason,
  type UnitAssignment,
  type UnitAttributes,
  unassignedReasons,
} from './assignment/assignment-definition.ts';
export * from './assignment/compile-assignment.ts';
export { type PreparedAssignment, prepareAssignment, type StoredDefinition } from './assignment/read-definition.ts';
export * from './design/create-experiment.ts';
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
export {
  type AttributeKind,
  attributeKinds,
  type Targeting,
  TargetingInput,
  targetingFields,
} from './design/targeting.ts';
export { ExposureInput } from './exposures/exposure-input.ts';
export * from './exposures/list-exposure-transitions.ts';
export * from './exposures/record-exposures.ts';
export * from './exposures/record-exposures-from.ts';
export { experimentMoves } from './lifecycle/legal-moves.ts';
export * from './lifecycle/transition-experiment.ts';
export * from './limits.ts';
export { OutcomeInput } from './outcomes/outcome-input.ts';
export * from './outcomes/prune-outcomes.ts';
export { type RecordedOutcomes, RecordOutcomesInput, recordOutcomes } from './outcomes/record-outcomes.ts';
export * from './outcomes/record-outcomes-from.ts';
export * from './schema.ts';
export { ReadAnalysisInputInput, readAnalysisInput } from './units/read-analysis-input.ts';
export { type RefreshedUnits, RefreshUnitsInput, refreshUnits } from './units/refresh-units.ts';
