export * from './limits.ts';
export { CreateRunInput, createRun } from './runs/create-run.ts';
export { legalRunMoves } from './runs/legal-moves.ts';
export { RunLease } from './runs/lock-run.ts';
export type { MetricPoint, MetricSummary } from './runs/metric-summary.ts';
export { findRun, GetRunInput, getRun, type Run, type RunRow } from './runs/runs.ts';
export * from './runs/start-run.ts';
export { checkFixedParams, checkParams } from './samplers/check-params.ts';
export { type Objective, Objectives } from './samplers/objectives.ts';
export { activeParams } from './samplers/param-order.ts';
export {
  type CategoricalParam,
  type FloatParam,
  type IntParam,
  ParamValue,
  SearchSpace,
  SearchSpaceParam,
  type TrialParams,
} from './samplers/search-space.ts';
export * from './schema.ts';
