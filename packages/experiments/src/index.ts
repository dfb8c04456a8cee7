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
export { experimentMoves } from './lifecycle/legal-moves.ts';
export * from './lifecycle/list-experiment-events.ts';
export * from './lifecycle/reseed-experiment.ts';
export * from './lifecycle/set-allocation.ts';
export * from './lifecycle/transition-experiment.ts';
export * from './limits.ts';
export * from './planning/plan-experiment.ts';
export * from './planning/read-baselines.ts';
export * from './schema.ts';
