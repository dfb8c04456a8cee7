import { type MetricSeries, metricChart, type StageChange, stageTimeline, studyChart } from '@mcp-hub/charts';
import type { TenantTx } from '@mcp-hub/db-core';
import { listStageTransitions } from '@mcp-hub/registry';
import { compareMetric, type Run, type Trial } from '@mcp-hub/training';
import { modelName } from '../late-arrival-models.ts';
import { studyName } from '../tuning-study.ts';
import type { NamedCharts } from './evaluation-charts.ts';

/** What the charts of runs, study and stages are drawn from. */
export interface HistoryRows {
  readonly loss: readonly MetricSeries[];
  readonly auc: readonly MetricSeries[];
  readonly trials: readonly Trial[];
  readonly stages: readonly StageChange[];
}

/** Reads the curves of the runs and the stages of the model; the trials have been read. */
export async function readHistory(
  tx: TenantTx,
  { runs, trials }: { readonly runs: readonly Run[]; readonly trials: readonly Trial[] },
): Promise<HistoryRows> {
  const names = new Map(runs.map(({ id, name }) => [String(id), name]));
  const curvesOf = async (key: string) => {
    const series = await compareMetric(tx, { runIds: [...names.keys()], key, maxPoints: 1_000 });
    return series.map(({ runId, points }) => ({ name: names.get(runId) ?? '', points }));
  };
  return {
    loss: await curvesOf('loss'),
    auc: await curvesOf('auc'),
    trials,
    stages: (await listStageTransitions(tx, { name: modelName })).items,
  };
}

/** The metrics of the runs by epoch, the trials of the study, and which version held which stage when. */
export function historyCharts(tenant: string, { loss, auc, trials, stages }: HistoryRows): NamedCharts {
  const objective = { name: 'AUC on February', direction: 'maximize' } as const;
  return new Map([
    [
      'run-loss',
      metricChart({ metric: 'loss', unit: 'nats', series: loss, title: 'Log loss by epoch', subtitle: tenant }),
    ],
    [
      'run-auc',
      metricChart({ metric: 'auc', unit: 'share of pairs', series: auc, title: 'AUC by epoch', subtitle: tenant }),
    ],
    ['study', studyChart({ trials, objective, subtitle: `${tenant}, ${studyName}` })],
    ['stages', stageTimeline({ changes: stages, until: endOf(stages), subtitle: `${tenant}, ${modelName}` })],
  ]);
}

/** A tenth beyond the last change, so that it can be seen, and the picture is the same whenever it is drawn. */
function endOf(changes: readonly StageChange[]): Date {
  const times = changes.map(({ occurredAt }) => occurredAt.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return new Date(last + Math.max(100, Math.round((last - first) / 10)));
}
