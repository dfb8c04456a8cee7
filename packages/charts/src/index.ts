export type { ChartOptions, ChartSpec, Json } from './chart-spec.ts';
export { ChartError, type ChartErrorCode, isChartError } from './errors.ts';
export { type CalibrationBin, type CalibrationChartInput, calibrationChart } from './evaluation/calibration-chart.ts';
export { type ConfusionCell, type ConfusionChartInput, confusionChart } from './evaluation/confusion-chart.ts';
export { type ImportanceChartInput, type ImportanceRow, importanceChart } from './evaluation/importance-chart.ts';
export {
  type PrecisionRecallChartInput,
  type PrecisionRecallCurve,
  precisionRecallChart,
} from './evaluation/precision-recall-chart.ts';
export { type RocChartInput, type RocCurve, rocChart } from './evaluation/roc-chart.ts';
export { type ThresholdChartInput, type ThresholdRow, thresholdChart } from './evaluation/threshold-chart.ts';
export type { CountsAtThreshold, CurveInput } from './evaluation/threshold-rows.ts';
export {
  type AllocationChartInput,
  type AllocationEpoch,
  allocationChart,
} from './experiments/allocation-chart.ts';
export type { Bounds } from './experiments/bounds.ts';
export { type LiftChartInput, type LiftPoint, type LiftSeries, liftChart } from './experiments/lift-chart.ts';
export {
  type LiftVerdict,
  type MetricTableChartInput,
  type MetricTableRow,
  metricTableChart,
} from './experiments/metric-table-chart.ts';
export { CHART_LIMITS } from './limits.ts';
export {
  type AlertChange,
  type AlertState,
  type AlertTimelineInput,
  alertTimeline,
} from './monitoring/alert-timeline.ts';
export { type BaselineBin, type BinsChartInput, binsChart } from './monitoring/bins-chart.ts';
export { type DriftChartInput, type DriftPoint, driftChart } from './monitoring/drift-chart.ts';
export {
  type PerformanceChartInput,
  type PerformanceSeries,
  type PerformanceWindow,
  performanceChart,
} from './monitoring/performance-chart.ts';
export { type RollupChartInput, type RollupRow, rollupChart } from './monitoring/rollup-chart.ts';
export {
  type JobProgressChartInput,
  type JobProgressPoint,
  jobProgressChart,
} from './predictions/job-progress-chart.ts';
export {
  type ScoreBin,
  type ScoreHistogramInput,
  type ScoreSeries,
  scoreHistogram,
} from './predictions/score-histogram.ts';
export { type TrafficBucket, type TrafficChartInput, trafficChart } from './predictions/traffic-chart.ts';
export { type Stage, type StageChange, type StageTimelineInput, stageTimeline } from './registry/stage-timeline.ts';
export { renderSvg } from './rendering/render-svg.ts';
export type { LiftUnit } from './signed-text.ts';
export { type MetricChartInput, type MetricPoint, type MetricSeries, metricChart } from './training/metric-chart.ts';
export { type StudyChartInput, studyChart, type TrialRow } from './training/study-chart.ts';
