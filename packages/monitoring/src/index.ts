export * from './alerts/acknowledge-alert.ts';
export {
  type AlertEvent,
  type AlertStatus,
  alertStatuses,
  type EndReason,
  type Episode,
  endReasons,
  type LifeCycleSettings,
  type MissingDataPolicy,
  missingDataPolicies,
  type Outcome,
  type Tiding,
  type Transition,
  type TransitionKind,
  tidings,
  transitionKinds,
} from './alerts/episode.ts';
export { replayTransitions } from './alerts/evolve.ts';
export * from './alerts/get-alert.ts';
export { type Severity, severities } from './alerts/severity.ts';
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
export * from './monitor/run-monitor.ts';
export { EVALUATION_KIND } from './monitor/schedule-evaluation.ts';
export { DELIVERY_KIND } from './notifications/announce-deliveries.ts';
export * from './notifications/channels.ts';
export * from './notifications/deliveries.ts';
export { type DeliveryOptions, deliveryHandler } from './notifications/delivery-handler.ts';
export type { WebhookOutcome, WebhookRequest } from './notifications/post-webhook.ts';
export * from './notifications/sign-webhook.ts';
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
export * from './rules/backtest-alert-rule.ts';
export {
  AbsenceCondition,
  ChangeCondition,
  Condition,
  type ConditionLeaf,
  ThresholdCondition,
} from './rules/condition.ts';
export { CreateAlertRuleInput, createAlertRule } from './rules/create-alert-rule.ts';
export type { EvaluationReport } from './rules/evaluate-claimed.ts';
export {
  type DueEvaluationReport,
  EvaluateDueRulesInput,
  evaluateDueRules,
} from './rules/evaluate-due-rules.ts';
export { EvaluateRuleInput, evaluateRule } from './rules/evaluate-rule.ts';
export * from './rules/get-alert-rule.ts';
export * from './rules/remove-alert-rule.ts';
export * from './rules/sources.ts';
export { UpdateAlertRuleInput, updateAlertRule } from './rules/update-alert-rule.ts';
export * from './schema.ts';
export * from './silences/inhibitions.ts';
export { Matcher } from './silences/matcher.ts';
export * from './silences/silences.ts';
