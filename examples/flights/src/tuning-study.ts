import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import { recordTelemetry } from '@mcp-hub/telemetry';
import {
  createStudy,
  findStudy,
  type SearchSpace,
  type Study,
  type StudyObjective,
  type Trial,
} from '@mcp-hub/training';
import { actor } from './actor.ts';
import { recentDelayFeatures } from './features.ts';
import type { Flight } from './flights.ts';
import { modelName, type VersionPlan } from './late-arrival-models.ts';
import { areaUnderCurve, fitLogistic } from './logistic-regression.ts';

export const studyName = `${modelName} tuning`;
export const TRIALS = 30;
const REPORT_EVERY = 40;

const searchSpace = {
  learningRate: { type: 'float', low: 0.05, high: 5, log: true },
  epochs: { type: 'int', low: 40, high: 160, step: 40 },
  recentWeight: { type: 'float', low: 0.01, high: 0.5, log: true },
} as const satisfies SearchSpace;

/** The study of the tenant, made where there is none. */
export async function ensureStudy(db: Database, tenant: string): Promise<Study> {
  const known = await readOne(db, tenant, (tx) => findStudy(tx, { name: studyName }));
  return (
    known ??
    (await withTenant(
      db,
      tenant,
      (tx) =>
        createStudy(tx, {
          name: studyName,
          searchSpace,
          objectives: [{ name: 'auc_february', direction: 'maximize' }],
          // Not TPE: what that chooses depends on which trials have ended, and the example is to print the same each time.
          sampler: { kind: 'random' },
          maxTrials: TRIALS,
          maxAttempts: 2,
          seed: 2001,
          idempotencyKey: studyName,
        }),
      { actor },
    ))
  );
}

/** The version that a trial's parameters stand for. */
export function planOf({ number, params }: Pick<Trial, 'number' | 'params'>): VersionPlan {
  return {
    version: '3',
    description: `as 2, with the parameters of trial ${number} of ${studyName}`,
    features: recentDelayFeatures(Number(params?.['recentWeight'])),
    epochs: Number(params?.['epochs']),
    learningRate: Number(params?.['learningRate']),
    seed: 2001,
  };
}

/**
 * What a trial comes to: fitted on January, the AUC on February, reported on the way. March is left for the versions, which
 * would else be chosen by what they are held against. `onReport` hears of each report and is waited for.
 */
export function tuningObjective(
  db: Database,
  tenant: string,
  flights: readonly Flight[],
  onReport?: (trial: { readonly number: number; readonly epoch: number }) => Promise<void>,
): StudyObjective {
  const ofMonth = (month: number) => (_: unknown, index: number) => flights[index]?.departure.getUTCMonth() === month;
  return async (trial) => {
    const from = performance.now();
    const plan = planOf(trial);
    const examples = plan.features.of(flights);
    const february = examples.filter(ofMonth(1));
    const model = await fitLogistic(examples.filter(ofMonth(0)), {
      featureNames: plan.features.names,
      epochs: plan.epochs,
      learningRate: plan.learningRate,
      seed: plan.seed,
      onEpoch: async ({ epoch, model: soFar }) => {
        if (epoch % REPORT_EVERY !== 0) return;
        await trial.report(areaUnderCurve(soFar, february), epoch);
        await onReport?.({ number: trial.number, epoch });
      },
    });
    await withTenant(db, tenant, (tx) =>
      recordTelemetry(tx, {
        events: [{ subject: studyName, metric: TRIAL_METRIC, unit: 'ms', value: performance.now() - from }],
      }),
    );
    return areaUnderCurve(model, february);
  };
}

/** The metric under which telemetry has the trials. */
export const TRIAL_METRIC = 'tuning.trial';
