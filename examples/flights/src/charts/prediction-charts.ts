import { jobProgressChart, scoreHistogram, trafficChart } from '@mcp-hub/charts';
import { modelName } from '../late-arrival-models.ts';
import type { MonthReport } from '../predict/predict-month.ts';
import type { NamedCharts } from './evaluation-charts.ts';

/** Predictions that were asked online over time with their latency, how the scores are spread, and how the batch job went on. */
export function predictionCharts(
  tenant: string,
  { version, ledger, batch }: Pick<MonthReport, 'version' | 'ledger' | 'batch'>,
): NamedCharts {
  const name = `${modelName}/${version}`;
  const subtitle = `${tenant}, ${name}, flights of March 2001`;
  return new Map([
    ['traffic', trafficChart({ ...ledger.traffic, subtitle: `${subtitle}: asked online` })],
    ['scores', scoreHistogram({ series: [{ name, bins: ledger.scores.bins }], subtitle })],
    ['job-progress', jobProgressChart({ ...progressOf(batch), subtitle })],
  ]);
}

/** From the ends of the chunks: the picture is the same whenever it is drawn. */
function progressOf({ job, chunks }: MonthReport['batch']) {
  const start = { at: job.startedAt ?? job.createdAt, rowsDone: 0, rowsDead: 0 };
  const points = [start];
  for (const { endedAt, rowCount, status } of chunks) {
    const { rowsDone, rowsDead } = points.at(-1) ?? start;
    points.push({
      at: endedAt ?? start.at,
      rowsDone: rowsDone + (status === 'succeeded' ? rowCount : 0),
      rowsDead: rowsDead + (status === 'dead' ? rowCount : 0),
    });
  }
  return { points, rowCount: job.rowCount };
}
