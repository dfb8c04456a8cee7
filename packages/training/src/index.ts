export * from './limits.ts';
export * from './metrics/log-batch.ts';
export { MetricPointInput } from './metrics/read-points.ts';
export { CreateRunInput, createRun } from './runs/create-run.ts';
export { DeleteRunInput, deleteRun, RestoreRunInput, restoreRun } from './runs/delete-run.ts';
export * from './runs/finish-run.ts';
export * from './runs/get-manifest.ts';
export * from './runs/heartbeat-run.ts';
export { legalRunMoves } from './runs/legal-moves.ts';
export { LinkRunModelInput, linkRunModel, UnlinkRunModelInput, unlinkRunModel } from './runs/link-run-model.ts';
export { type Artifact, ListArtifactsInput, listArtifacts } from './runs/list-artifacts.ts';
export * from './runs/list-run-events.ts';
export * from './runs/list-run-models.ts';
export { RunLease } from './runs/lock-run.ts';
export type { MetricPoint, MetricSummary } from './runs/metric-summary.ts';
export * from './runs/purge-runs.ts';
export { NewArtifact, RecordArtifactsInput, recordArtifacts } from './runs/record-artifacts.ts';
export * from './runs/retry-run.ts';
export * from './runs/run-tags.ts';
export { findRun, GetRunInput, getRun, type Run, type RunRow } from './runs/runs.ts';
export * from './runs/start-run.ts';
export * from './runs/sweep-stale-runs.ts';
export * from './runs/update-run.ts';
export { checkFixedParams, checkParams } from './samplers/check-params.ts';
export { type Objective, Objectives } from './samplers/objectives.ts';
export { activeParams } from './samplers/param-order.ts';
export { gridSize } from './samplers/sample-grid.ts';
export { type GridOptions, SamplerOptions, type TpeOptions } from './samplers/sampler-options.ts';
export {
  type CategoricalParam,
  type FloatParam,
  type IntParam,
  ParamValue,
  SearchSpace,
  SearchSpaceParam,
  type TrialParams,
} from './samplers/search-space.ts';
export { type Suggestion, suggestParams } from './samplers/suggest-params.ts';
export type { CompleteTrial, EndedTrial, PrunedTrial, RunningTrial } from './samplers/trial-outcome.ts';
export * from './schema.ts';
