import {
  type AlertChange,
  type AllocationEpoch,
  alertTimeline,
  allocationChart,
  binsChart,
  type CalibrationBin,
  type ChartSpec,
  type ConfusionCell,
  calibrationChart,
  confusionChart,
  type DriftPoint,
  driftChart,
  importanceChart,
  jobProgressChart,
  type LiftPoint,
  liftChart,
  type MetricTableRow,
  metricChart,
  metricTableChart,
  type PerformanceWindow,
  performanceChart,
  precisionRecallChart,
  type RollupRow,
  rocChart,
  rollupChart,
  type StageChange,
  scoreHistogram,
  stageTimeline,
  studyChart,
  type ThresholdRow,
  type TrafficBucket,
  thresholdChart,
  trafficChart,
} from '../../src/index.ts';

/** 10 rows, 4 of them positive, each with a score of its own: labels from the highest score to the lowest. */
const labels = [1, 1, 0, 1, 0, 0, 0, 1, 0, 0];

/** threshold_analysis of `labels` with the scores 0.95, 0.85, …, 0.05; a false positive costs 10, a false negative 25. */
export function thresholdRows(): readonly ThresholdRow[] {
  const positives = 4;
  const rows = Array.from({ length: labels.length + 1 }, (_, called) => {
    const tp = labels.slice(0, called).filter((label) => label === 1).length;
    const [fp, fn] = [called - tp, positives - tp];
    const tn = labels.length - called - fn;
    const threshold = called === 0 ? Infinity : Number((1.05 - called / 10).toFixed(2));
    const shares = { precision: called === 0 ? null : tp / called, recall: tp / positives, specificity: tn / 6 };
    const f1 = called === 0 ? null : (2 * tp) / (2 * tp + fp + fn);
    return { threshold, tp, fp, tn, fn, ...shares, f1, cost: fp * 10 + fn * 25 };
  });
  const most = (of: (row: (typeof rows)[number]) => number) => Math.max(...rows.map(of));
  const [f1, youden, cost] = [
    most((row) => row.f1 ?? -1),
    most((row) => row.recall + row.specificity),
    most((row) => -row.cost),
  ];
  return rows.map((row) => ({
    ...row,
    bestF1: row.f1 === f1,
    bestYouden: row.recall + row.specificity === youden,
    bestCost: -row.cost === cost,
  }));
}

export const bins: readonly CalibrationBin[] = [
  { lower: 0, upper: 0.25, n: 40, meanScore: 0.1, positiveRate: 0.05 },
  { lower: 0.25, upper: 0.5, n: 30, meanScore: 0.4, positiveRate: 0.5 },
  { lower: 0.5, upper: 0.75, n: 0, meanScore: null, positiveRate: null },
  { lower: 0.75, upper: 1, n: 10, meanScore: 0.9, positiveRate: 0.8 },
];

export const cells: readonly ConfusionCell[] = [
  { trueLabel: 'late', predictedLabel: 'late', n: 30 },
  { trueLabel: 'late', predictedLabel: 'on time', n: 10 },
  { trueLabel: 'on time', predictedLabel: 'on time', n: 60 },
];

export const at = (day: number, hour = 0): Date => new Date(Date.UTC(2026, 0, day, hour));

/** Version 1 goes to production on the 3rd and is archived on the 7th, when 2 takes its place. */
export function stageChanges(versions: readonly [string, string] = ['1', '2']): readonly StageChange[] {
  const moves = [
    [0, 'development', 1],
    [0, 'production', 3],
    [1, 'development', 5],
    [0, 'archived', 7],
    [1, 'production', 7],
  ] as const;
  return moves.map(([version, toStage, day], changeNumber) => ({
    ...{ modelId: 'm', versionId: `id-${version}`, version: versions[version], changeNumber, toStage },
    occurredAt: at(day),
  }));
}

const latencies = (p50: number) => ({ latencyP50Ms: p50, latencyP95Ms: 2 * p50, latencyP99Ms: 4 * p50 });

/** Hours 0, 1 and 3 of a day: in the second nothing was predicted. */
export const traffic: readonly TrafficBucket[] = [
  { at: at(1, 0), count: 10, ...latencies(5) },
  { at: at(1, 1), count: 40, ...latencies(10) },
  { at: at(1, 3), count: 20, ...latencies(5) },
];

export const scoreBins = [
  { lower: 0, upper: 0.5, count: 30 },
  { lower: 0.5, upper: 1, count: 10 },
];

export const progress = [
  { at: at(1, 0), rowsDone: 0, rowsDead: 0 },
  { at: at(1, 1), rowsDone: 60, rowsDead: 0 },
  { at: at(1, 2), rowsDone: 95, rowsDead: 5 },
];

/** Three looks at a lift that settles at 10 %. */
export const lifts: readonly LiftPoint[] = [
  { at: at(1), lift: 0.3, interval: [-0.5, 1.1], alwaysValid: [-9, 10] },
  { at: at(2), lift: 0.05, interval: [-0.1, 0.2], alwaysValid: [-0.3, 0.4] },
  { at: at(3), lift: 0.1, interval: [0, 0.2], alwaysValid: [-0.05, 0.25] },
];

export function metricRows(name: string): readonly MetricTableRow[] {
  const row = { variant: name, interval: [0.1, 0.3], alwaysValid: [0.05, 0.35], lift: 0.2 } as const;
  return [
    { ...row, metric: name, role: 'primary', verdict: 'better' },
    {
      ...row,
      metric: `${name} 2`,
      variant: `${name} 2`,
      role: 'secondary',
      verdict: 'unclear',
      alwaysValid: [null, 0.4],
    },
    {
      ...row,
      metric: `${name} 3`,
      role: 'guardrail',
      verdict: 'unclear',
      lift: null,
      interval: null,
      alwaysValid: null,
    },
  ];
}

/** 20 % asked in halves for two days, then all in a half and two quarters for two days. */
export function epochs(name: string): readonly AllocationEpoch[] {
  const variants = [name, `${name} 2`, `${name} 3`];
  const shared = (...weights: readonly number[]) => weights.map((weight, i) => ({ name: variants[i] ?? '', weight }));
  return [
    { epoch: 1, from: at(1), coverage: 0.2, variants: shared(1, 1) },
    { epoch: 2, from: at(3), coverage: 1, variants: shared(2, 1, 1) },
  ];
}

/** Of two features, one crosses 0.1 on the third day, the other has no rows on the second. */
export function driftPoints(name: string): readonly DriftPoint[] {
  const of = (feature: string, distances: readonly (number | null)[]) =>
    distances.map((distance, day) => ({ feature, at: at(day + 1), distance, threshold: 0.1 }));
  return [...of(name, [0.02, 0.08, 0.2]), ...of(`${name} 2`, [0.01, null, 0.03])];
}

export const baselineBins = (name: string) => [
  { label: 'below', baseline: 0, current: 5 },
  { label: name, baseline: 60, current: 10 },
  { label: 'missing', baseline: 40, current: 5 },
];

/** Days 1, 2 and 4 within 0.7 and 0.9, the last below; day 3 has no value. */
export const performances: readonly PerformanceWindow[] = [0.8, 0.85, null, 0.6].map((value, day) => ({
  ...{ from: at(day + 1), to: at(day + 2), value },
  interval: value === null ? null : [value - 0.05, value + 0.05],
}));

/** One alert fires, is acknowledged and resolved; one is pending for a day; one fires. */
export function alertChanges(name: string): readonly AlertChange[] {
  const of = (fingerprint: string, moves: readonly (readonly [AlertChange['toState'], number])[]) =>
    moves.map(([toState, day], changeNumber) => ({
      ...{ fingerprint, name: `${name} ${fingerprint}`, changeNumber, toState },
      occurredAt: at(day),
    }));
  return [
    ...of('a', [
      ['pending', 1],
      ['firing', 2],
      ['acknowledged', 4],
      ['resolved', 5],
    ]),
    ...of('b', [
      ['pending', 2],
      [null, 3],
    ]),
    ...of('c', [['firing', 5]]),
  ];
}

/** Days 1, 2 and 4; on the second a fifth of the rows has no value. */
export const rollups: readonly RollupRow[] = [
  { day: 1, count: 100, missing: 0, low: 1, high: 9 },
  { day: 2, count: 80, missing: 20, low: 2, high: 8 },
  { day: 4, count: 50, missing: 0, low: 3, high: 7 },
].map(({ day, count, missing, low, high }) => ({
  ...{ at: at(day), count, missing },
  quantiles: [
    { level: 0.05, value: low },
    { level: 0.95, value: high },
  ],
}));

/** A chart of each kind, with `name` wherever a tenant names something. */
export function everyChart(name: string): ReadonlyMap<string, ChartSpec> {
  const texts = { title: `Title ${name}`, subtitle: `Subtitle ${name}` };
  const rows = thresholdRows();
  const curves = [
    { name, rows },
    { name, rows: rows.slice(0, 4) },
  ];
  const points = [0.5, Number.NaN, 0.25, 0.125].map((value, step) => ({ step, at: at(1, step), value }));
  return new Map([
    ['ROC', rocChart({ ...texts, curves })],
    ['precision-recall', precisionRecallChart({ ...texts, curves })],
    ['calibration', calibrationChart({ ...texts, bins })],
    ['threshold', thresholdChart({ ...texts, rows, costUnit: name })],
    [
      'importance',
      importanceChart({
        ...texts,
        unit: name,
        rows: [
          { method: name, feature: name, value: 0.2, std: 0.01 },
          { method: name, feature: `${name} 2`, value: 0.3, std: null },
        ],
      }),
    ],
    ['confusion', confusionChart({ ...texts, cells: [...cells, { trueLabel: name, predictedLabel: name, n: 1 }] })],
    [
      'metric',
      metricChart({
        ...{ ...texts, metric: name, unit: name, yScale: 'log' },
        series: [
          { name, points },
          { name: `${name} 2`, points: points.slice(0, 1) },
        ],
      }),
    ],
    ['metric without a unit', metricChart({ ...texts, metric: name, series: [{ name, points }] })],
    [
      'study',
      studyChart({
        ...texts,
        objective: { name, direction: 'minimize' },
        trials: [
          { number: 0, status: 'complete', values: [2] },
          { number: 1, status: 'pruned', values: null },
          { number: 2, status: 'failed', values: null },
          { number: 3, status: 'complete', values: [1] },
        ],
      }),
    ],
    ['traffic', trafficChart({ ...texts, buckets: traffic, bucketMs: 3_600_000 })],
    [
      'scores',
      scoreHistogram({
        ...{ ...texts, unit: name },
        series: [
          { name, bins: scoreBins },
          { name: `${name} 2`, bins: scoreBins.slice(1) },
        ],
      }),
    ],
    ['job', jobProgressChart({ ...texts, points: progress, rowCount: 100 })],
    ['stages', stageTimeline({ ...texts, changes: stageChanges([name, `${name} 2`]), until: at(9) })],
    [
      'lift',
      liftChart({
        ...{ ...texts, metric: name },
        series: [
          { name, points: lifts },
          { name: `${name} 2`, points: lifts.slice(0, 1) },
        ],
      }),
    ],
    ['metric table', metricTableChart({ ...texts, rows: metricRows(name) })],
    ['allocation', allocationChart({ ...texts, epochs: epochs(name), until: at(5) })],
    ['drift', driftChart({ ...texts, measure: name, points: driftPoints(name) })],
    ['bins', binsChart({ ...texts, feature: name, bins: baselineBins(name), currentName: name })],
    [
      'performance',
      performanceChart({
        ...{ ...texts, metric: name, baseline: { value: 0.8, band: [0.7, 0.9] } },
        series: [
          { name, windows: performances },
          { name: `${name} 2`, windows: performances.slice(1) },
        ],
      }),
    ],
    ['alerts', alertTimeline({ ...texts, changes: alertChanges(name), until: at(6) })],
    ['rollup', rollupChart({ ...texts, name, rows: rollups })],
    ['empty', rocChart({ ...texts, curves: [] })],
  ]);
}
