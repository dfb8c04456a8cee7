import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  type Evaluation,
  evaluateBinary,
  listEvaluations,
  permutationImportance,
  recordFeatureImportance,
} from '@mcp-hub/evaluation';
import { rocAuc, thresholdCurve } from '@mcp-hub/stats';
import { actor } from '../actor.ts';
import { modelName } from '../late-arrival-models.ts';
import { predictLate } from '../logistic-regression.ts';
import type { TrainedVersion } from '../train-run.ts';
import { type HeldBackDays, heldBackDays } from './held-back-days.ts';
import { costs, LATE_FROM } from './late-from.ts';

const SEED = 2001;
const REPEATS = 10;
/** Flights that an airport needs to be a slice. */
export const MIN_SLICE_FLIGHTS = 100;

/**
 * Evaluates a version on the days that were held back, with how important its features are, in one transaction; one that has
 * been evaluated on these rows is left as it is. Says whether it is new.
 */
export async function evaluateVersion(
  db: Database,
  tenant: string,
  trained: TrainedVersion,
): Promise<{ readonly evaluationId: Evaluation['id']; readonly isNew: boolean }> {
  const { version, runId, heldBack } = trained;
  const days = heldBackDays(heldBack);
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const known = await findEvaluation(tx, version, days);
      if (known !== undefined) return { evaluationId: known.id, isNew: false };
      const { id } = await evaluateBinary(tx, {
        name: modelName,
        version,
        runId,
        dataset: days.dataset,
        labels: days.labels,
        scores: heldBack.map(({ score }) => score),
        threshold: LATE_FROM,
        costs,
        thresholds: 200,
        slices: { origin: days.origins },
        minSliceRows: MIN_SLICE_FLIGHTS,
        // Of what has no interval in closed form, such as the cost.
        bootstrap: { seed: SEED, resamples: 200 },
      });
      const features = await importanceOf(trained, days);
      await recordFeatureImportance(tx, {
        evaluationId: id,
        method: 'permutation',
        features,
        repeats: REPEATS,
        seed: SEED,
      });
      return { evaluationId: id, isNew: true };
    },
    { actor },
  );
}

async function findEvaluation(tx: TenantTx, version: string, { dataset }: HeldBackDays) {
  const filter = `model = '${modelName}' AND version = '${version}' AND dataset_digest = '${dataset.digest}'`;
  return (await listEvaluations(tx, { filter, limit: 1 })).items[0];
}

/** How far the area under the ROC curve falls when a feature is shuffled among the flights. */
async function importanceOf({ model, heldBack }: TrainedVersion, { labels }: HeldBackDays) {
  const column = (at: number) => heldBack.map(({ features }) => features[at] ?? 0);
  return await permutationImportance<number>({
    features: Object.fromEntries(model.features.map((name, at) => [name, column(at)])),
    predict: (columns) =>
      heldBack.map((_, row) =>
        predictLate(
          model,
          Float64Array.from(model.features, (name) => columns[name]?.[row] ?? 0),
        ),
      ),
    score: (scores) => rocAuc(thresholdCurve({ labels, scores })).value ?? Number.NaN,
    seed: SEED,
    repeats: REPEATS,
  });
}
