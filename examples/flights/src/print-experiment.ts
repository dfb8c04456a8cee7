import type { ExperimentReport, LookReport } from './experiment/run-experiment.ts';
import { warningModel } from './experiment/warning-model.ts';
import { print } from './print-line.ts';

/** Prints the looks at the experiment, what was decided, and what the gate made of it. */
export function printExperiment({ isNew, experiment, looks, decision, gate, production }: ExperimentReport): void {
  const last = looks.at(-1)?.snapshot;
  const [control, treatment] = experiment.variants;
  const counts = last?.analysis.units.map(({ units }) => units).join(' to ');
  print(
    isNew ? 'experiment' : 'was there',
    `${experiment.key}: ${last?.units} flights of March by their ids, ${control?.key} against ${treatment?.key}, ${counts}`,
  );
  for (const look of looks) print(`look ${look.snapshot.look}`, lookText(look, experiment));
  const failed = last?.health.filter(({ verdict }) => verdict === 'failed').length ?? 0;
  print('health', `${last?.health.length} checks, ${failed} failed`);
  print('decided', `${decision.verdict}${decision.variantKey === null ? '' : ` ${decision.variantKey}`}`);
  for (const { reasons } of decision.treatments) for (const { text } of reasons) print('', text);
  const version = `${warningModel}/${gate.version}`;
  print('gate', gate.passed ? `${version} passed: the experiment shipped it` : `${version} refused: nobody shipped it`);
  print('promoted', `${warningModel}:production is version ${production}`);
}

function lookText({ snapshot, decision, departedBy }: LookReport, { metrics }: ExperimentReport['experiment']): string {
  const primary = metrics.find(({ role }) => role === 'primary');
  const result = snapshot.analysis.results.find(
    (row) => row.metricId === primary?.id && !row.isControl && row.slice === null,
  );
  const relative = result?.comparison?.relative;
  const percent = (value: number | null | undefined) =>
    value == null ? 'undefined' : `${value < 0 ? '' : '+'}${(100 * value).toFixed(1)} %`;
  const day = departedBy.toISOString().slice(0, 10);
  return `${snapshot.units} flights up to ${day}: ${primary?.key} ${percent(relative?.estimate)} [${percent(relative?.validLower)}, ${percent(relative?.validUpper)}], ${decision.verdict}`;
}
