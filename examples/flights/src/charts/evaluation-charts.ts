import {
  type ChartSpec,
  calibrationChart,
  confusionChart,
  importanceChart,
  precisionRecallChart,
  rocChart,
  thresholdChart,
} from '@mcp-hub/charts';
import type { StoredConfusion } from '@mcp-hub/evaluation';
import type { EvaluatedVersion } from '../evaluate/judge-versions.ts';
import { LATE_FROM } from '../evaluate/late-from.ts';
import { modelName } from '../late-arrival-models.ts';

/** Charts by the name of their file, without its ending. */
export type NamedCharts = ReadonlyMap<string, ChartSpec>;

/** The curves of all versions in one plot each, and of every version what only one evaluation can show. */
export function evaluationCharts(tenant: string, evaluated: readonly EvaluatedVersion[]): NamedCharts {
  const days = evaluated[0]?.evaluation.datasetName ?? '';
  const curves = evaluated.map(({ version, thresholds, metrics }) => ({
    name: `${modelName}/${version}`,
    rows: thresholds,
    // Of all scores; the rows are cut points.
    area: metrics.get('roc_auc')?.value ?? undefined,
    averagePrecision: metrics.get('average_precision')?.value ?? undefined,
  }));
  const subtitle = `${tenant}, ${days}`;
  return new Map([
    ['roc', rocChart({ curves, subtitle })],
    ['precision-recall', precisionRecallChart({ curves, subtitle })],
    ...evaluated.flatMap((version) => [...versionCharts(tenant, version)]),
  ]);
}

function versionCharts(tenant: string, { version, ...report }: EvaluatedVersion): NamedCharts {
  const subtitle = `${tenant}, ${modelName}/${version}, ${report.evaluation.datasetName}`;
  const calledFrom = `${subtitle}: called late from ${LATE_FROM}`;
  return new Map([
    [`calibration-${version}`, calibrationChart({ bins: report.bins, subtitle })],
    [`thresholds-${version}`, thresholdChart({ rows: report.thresholds, subtitle, costUnit: COST_UNIT })],
    [`confusion-${version}`, confusionChart({ cells: cellsOf(report.confusion), subtitle: calledFrom })],
    [`importance-${version}`, importanceChart({ rows: report.importance, subtitle, unit: 'fall of the AUC' })],
  ]);
}

const COST_UNIT = 'false alarms';

function cellsOf({ labels, counts }: StoredConfusion) {
  const nameOf = (label: string | undefined) => (label === '1' ? 'late' : 'punctual');
  return counts.flatMap((row, actual) =>
    row.map((n, predicted) => ({
      trueLabel: nameOf(labels[actual]),
      predictedLabel: nameOf(labels[predicted]),
      n,
    })),
  );
}
