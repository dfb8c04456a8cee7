export { CreateBaselineInput } from './baselines/baseline-inputs.ts';
export {
  type Baseline,
  type BaselineHead,
  GetBaselineInput,
  getBaseline,
  ListBaselinesInput,
  listBaselines,
} from './baselines/baselines.ts';
export { type CreatedBaseline, createBaseline } from './baselines/create-baseline.ts';
export type { FieldGrid, FieldProfile } from './baselines/field-profile.ts';
export * from './baselines/remove-monitoring.ts';
export { CheckDriftInput, checkDrift, type DriftCheck, type FieldDrift } from './drift/check-drift.ts';
export { type DriftExplanation, ExplainDriftInput, explainDrift } from './drift/explain-drift.ts';
export * from './drift/list-drift.ts';
export * from './limits.ts';
export * from './performance/audit-estimates.ts';
export {
  CheckPerformanceInput,
  checkPerformance,
  type MetricDrift,
  type PerformanceCheck,
} from './performance/check-performance.ts';
export * from './performance/list-performance.ts';
export { type PerformanceMetric, performanceMetrics } from './performance/performance-metrics.ts';
export * from './performance/read-label-maturity.ts';
export * from './profiles/profiles-handler.ts';
export { type RefreshedProfiles, RefreshProfilesInput, refreshProfiles } from './profiles/refresh-profiles.ts';
export { PROFILES_KIND } from './profiles/schedule-profiles.ts';
export * from './schema.ts';
