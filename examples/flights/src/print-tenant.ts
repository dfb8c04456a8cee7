import { chartFolder } from './charts/draw-charts.ts';
import { tenantAirports } from './flights.ts';
import { modelName } from './late-arrival-models.ts';
import { printExperiment } from './print-experiment.ts';
import { printJudged } from './print-judged.ts';
import { fixed, print } from './print-line.ts';
import { printMonth } from './print-month.ts';
import type { TenantReport, VersionReport } from './run-tenant.ts';
import { studyName } from './tuning-study.ts';

/** Prints what a tenant has: the same each time, but for durations and for what was there. */
export function printTenant(report: TenantReport): void {
  const { tenant, flights, versions, best, durations } = report;
  const { epochs, trials, slowestMinute } = durations;
  console.log(`\ntenant ${tenant}: ${flights} flights from ${tenantAirports[tenant].join(', ')}`);
  printTuning(report);
  for (const version of versions) printVersion(version);
  print('best run', `${best.run.name}, which gave ${best.model.modelName}/${best.model.modelVersion}`);
  printJudged(report);
  printMonth(report.month);
  printExperiment(report.experiment);
  print('charts', `${report.charts} SVG files in ${chartFolder(report.tenant)}`);
  print('epochs', `${epochs.n} measured, ${spread(epochs.percentiles)}`);
  print(
    'trials',
    `${trials.n} measured, ${spread(trials.percentiles)}, mean of the slowest minute ${ms(slowestMinute)}`,
  );
}

function printTuning({ tuning: { best, trials, workers } }: TenantReport): void {
  const complete = trials.filter(({ status }) => status === 'complete').length;
  print('study', `${studyName}: ${trials.length} trials, ${complete} complete, by ${workers} workers`);
  for (const { number, attempt, status } of trials) {
    if (attempt === 1) continue;
    print(
      'killed',
      `the process at trial ${number}, by SIGKILL; the sweep handed the trial on, and attempt ${attempt} is ${status}`,
    );
  }
  const { learningRate, epochs, recentWeight } = best.params ?? {};
  print('best trial', `${best.number}, AUC on February ${fixed(best.values?.[0])}`);
  print('', `learning rate ${fixed(learningRate)}, ${epochs} epochs, recent weight ${fixed(recentWeight)}`);
}

function printVersion({ version, isNew, run, curves, manifest }: VersionReport): void {
  print(
    isNew ? 'registered' : 'was there',
    `${modelName}/${version} of run ${run.name}, AUC on March ${fixed(run.metrics['auc']?.latest.value)}`,
  );
  for (const { key, points } of curves) {
    const count = run.metrics[key]?.pointCount;
    const shown = points.map(({ step, value }) => `${fixed(value)} at ${step}`).join(', ');
    print('', `${key} over ${count} epochs: ${shown}`);
  }
  const { artifacts, totalBytes, digest } = manifest;
  print('', `manifest of ${artifacts.length} files, ${totalBytes} bytes, sha256 ${digest.slice(0, 12)}…`);
}

const ms = (value: number | null | undefined) => (value == null ? 'none left' : `${value.toFixed(2)} ms`);

/** Of the median and the 99th percentile. */
const spread = ([median, most]: readonly (number | null)[]) => `median ${ms(median)}, 99 % within ${ms(most)}`;
