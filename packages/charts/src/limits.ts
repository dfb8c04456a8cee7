/** What one chart holds at most; beyond it rows are thinned or left out, and the subtitle says so, or the input is refused. */
export const CHART_LIMITS = {
  /** Points of one line, unless the input says otherwise. */
  points: 1_000,
  /** What an input may ask for. */
  minPoints: 20,
  maxPoints: 20_000,
  /** Lines of one chart: six colours by four dashes. More are refused. */
  series: 24,
  /** Bars of an importance chart. */
  features: 30,
  /** Rows of a metric table. More are refused. */
  metrics: 60,
  /** Classes of a confusion matrix; more are refused. */
  classes: 60,
  /** Lines of a drift chart, unless the input says otherwise. */
  driftFeatures: 8,
  /** Of a feature beside its baseline. More are refused. */
  bins: 60,
  /** Lanes of an alert timeline. */
  alerts: 40,
  /** Lanes of a stage timeline. */
  versions: 40,
  /** Best thresholds that are marked, a criterion. */
  marks: 20,
  /** Characters of a title or of a note below it, and of a name. */
  titleLength: 200,
  nameLength: 60,
  /** Pixels, of the plot without its axes. */
  minSide: 100,
  maxSide: 4_000,
} as const;
