import { benchEvaluation } from './evaluation.ts';
import { benchExperiments } from './experiments.ts';
import { benchExperimentsAssignment } from './experiments-assignment.ts';
import { benchImport } from './import.ts';
import { benchMonitoring } from './monitoring.ts';
import { benchMonitoringAlerts } from './monitoring-alerts.ts';
import { benchMonitoringMarks } from './monitoring-marks.ts';
import { benchPredictions } from './predictions.ts';
import { benchPredictionsCache } from './predictions-cache.ts';
import { benchPredictionsJobs } from './predictions-jobs.ts';
import { benchPredictionLayouts } from './predictions-layouts.ts';
import { benchPredictionsWriter } from './predictions-writer.ts';
import { benchRegistry } from './registry.ts';
import { benchStudies } from './studies.ts';
import { benchTelemetry } from './telemetry.ts';
import { benchTenancy } from './tenancy.ts';
import { benchTraining } from './training.ts';
import { benchTrainingSearch } from './training-search.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  tenancy: benchTenancy,
  registry: benchRegistry,
  training: benchTraining,
  telemetry: benchTelemetry,
  'training-search': benchTrainingSearch,
  import: benchImport,
  studies: benchStudies,
  evaluation: benchEvaluation,
  experiments: benchExperiments,
  predictions: benchPredictions,
  'predictions-layouts': benchPredictionLayouts,
  'predictions-cache': benchPredictionsCache,
  'predictions-jobs': benchPredictionsJobs,
  'predictions-writer': benchPredictionsWriter,
  'experiments-assignment': benchExperimentsAssignment,
  monitoring: benchMonitoring,
  'monitoring-marks': benchMonitoringMarks,
  'monitoring-alerts': benchMonitoringAlerts,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`No such bench. Known: ${Object.keys(benches).join(', ')}; without a name all are run.`);
  process.exitCode = 2;
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (wanted.length === 0 || wanted.includes(name)) await bench();
  }
}
