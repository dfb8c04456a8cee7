export * from './limits.ts';
export * from './metrics/list-metric-keys.ts';
export * from './metrics/list-metric-points.ts';
export * from './metrics/log-batch.ts';
export * from './metrics/log-one.ts';
export { MetricPointInput } from './metrics/read-points.ts';
export * from './metrics/sample-metric-points.ts';
export { CreateRunInput, createRun } from './runs/create-run.ts';
export { DeleteRunInput, deleteRun, RestoreRunInput, restoreRun } from './runs/delete-run.ts';
export * from './runs/finish-run.ts';
export * from './runs/get-manifest.ts';
export * from './runs/heartbeat-run.ts';
export { legalRunMoves } from './runs/legal-moves.ts';
export { LinkRunModelInput, linkRunModel, UnlinkRunModelInput, unlinkRunModel } from './runs/link-run-model.ts';
export { type Artifact, ListArtifactsInput, listArtifacts } from './runs/list-artifacts.ts';
export * from './runs/list-run-events.ts';
export { ListRunModelsInput, listRunModels, type RunModel } from './runs/list-run-models.ts';
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
export * from './search/diff-runs.ts';
export { groupFields, ListGroupsInput, listGroups, type RunGroup } from './search/list-groups.ts';
export { runFields } from './search/run-fields.ts';
export { IncludedParts } from './search/run-list.ts';
export { runModelFields, SearchRunModelsInput, searchRunModels } from './search/search-run-models.ts';
export {
  ListChildRunsInput,
  listChildRuns,
  RunLifecycle,
  SearchRunsInput,
  searchRuns,
} from './search/search-runs.ts';
export { type Asked, type AskedTrial, AskTrialInput, askTrial, type StudyOptions } from './studies/ask-trial.ts';
export { findBestTrial, GetBestTrialInput, getBestTrial } from './studies/best-trial.ts';
export { CreateStudyInput, createStudy } from './studies/create-study.ts';
export * from './studies/delete-study.ts';
export * from './studies/enqueue-trials.ts';
export * from './studies/list-study-events.ts';
export * from './studies/pareto-trials.ts';
export { PrunerOptions } from './studies/pruner-options.ts';
export * from './studies/purge-studies.ts';
export * from './studies/report-trial-value.ts';
export * from './studies/run-study.ts';
export * from './studies/set-trial-run.ts';
export * from './studies/stop-study.ts';
export { findStudy, GetStudyInput, getStudy, ListStudiesInput, listStudies, type Study } from './studies/studies.ts';
export {
  SweepStaleTrialsInput,
  type SweptTrials,
  staleTrialsHandler,
  sweepStaleTrials,
} from './studies/sweep-stale-trials.ts';
export { TellTrialInput, type TrialValues, tellTrial } from './studies/tell-trial.ts';
export { heartbeatTrial, releaseTrial, TrialLease } from './studies/trial-lease.ts';
export {
  CountTrialsInput,
  countTrials,
  findTrial,
  GetTrialInput,
  getTrial,
  ListTrialsInput,
  ListTrialValuesInput,
  listTrials,
  listTrialValues,
  type Trial,
  type TrialValue,
} from './studies/trials.ts';
