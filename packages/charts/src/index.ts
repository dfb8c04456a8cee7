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
export { CHART_LIMITS } from './limits.ts';
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
export { type MetricChartInput, type MetricPoint, type MetricSeries, metricChart } from './training/metric-chart.ts';
export { type StudyChartInput, studyChart, type TrialRow } from './training/study-chart.ts';
