import {
  DomainError,
  IDEMPOTENCY_LIMITS,
  nameInput,
  newId,
  oncePerKey,
  parseInput,
  type TenantTx,
} from '@mcp-hub/db-core';
import { z } from 'zod';
import { inOneFlight } from '../in-one-flight.ts';
import { recordExperimentEvent } from '../lifecycle/change-experiment.ts';
import {
  holdoutList,
  hypothesisText,
  judgement,
  keyName,
  layerInput,
  metricList,
  seedText,
  share,
  variantList,
} from './experiment-inputs.ts';
import { findReferences } from './find-references.ts';
import { type ExperimentDefinition, getExperiment } from './get-experiment.ts';
import { layOutRanges } from './lay-out-ranges.ts';
import { linkHoldouts } from './link-holdouts.ts';
import { metricRows } from './metric-rows.ts';
import { refuseSharedSeed } from './refuse-shared-seed.ts';
import { abAllocations, abExperiments, abMetrics, abVariants } from './schema.ts';
import { readTargeting, TargetingInput } from './targeting.ts';
import { variantRows, weightsOf } from './variant-rows.ts';

export const CreateExperimentInput = z.strictObject({
  /** Names the experiment for good. */
  key: keyName,
  hypothesis: hypothesisText,
  /** In the order in which they share out the hash. */
  variants: variantList,
  /** The share of all units that is asked. Default 1. */
  coverage: share.optional(),
  /** At most one is primary; to start it needs one. */
  metrics: metricList.optional(),
  ...judgement,
  /** Default: all units. */
  targeting: TargetingInput.nullish(),
  /** The layer by its key, and the part of it that the experiment takes. */
  layer: layerInput.nullish(),
  /** Their keys. */
  holdouts: holdoutList.optional(),
  /** What the hash takes beside the unit. Default: the key, so that an experiment made again assigns as before. */
  seed: seedText.optional(),
  /** Of GrowthBook's hash; 1 is biased and for experiments that come from elsewhere. Default 2. */
  hashVersion: z.literal([1, 2]).optional(),
  /** One for each experiment that the client wants: a repeated call with it gives that of the first. */
  idempotencyKey: nameInput(IDEMPOTENCY_LIMITS.keyLength).optional(),
});
export type CreateExperimentInput = Readonly<z.input<typeof CreateExperimentInput>>;

/**
 * Creates an experiment as a draft, with its first allocation, which is what GrowthBook's SDKs make of the same seed,
 * coverage and weights. Two round trips, no lock but the new rows. Announces `experiment.created`.
 *
 * @throws DomainError `already_exists` where the key is taken; `not_found` without the layer, a holdout, or a version;
 *   `invalid_input` for a targeting with the place of what is wrong, and a seed that is a holdout's; `conflict` where the
 *   idempotency key came with other input before.
 */
export async function createExperiment(tx: TenantTx, input: CreateExperimentInput): Promise<ExperimentDefinition> {
  const { idempotencyKey: key, ...given } = parseInput(CreateExperimentInput, input);
  let fresh: ExperimentDefinition | undefined;
  const experimentId = await oncePerKey(
    tx,
    { scope: 'experiments.createExperiment', key, request: given },
    async () => {
      fresh = await insertExperiment(tx, given);
      return String(fresh.id);
    },
  );
  return fresh ?? (await getExperiment(tx, { experimentId }));
}

type Given = Omit<z.output<typeof CreateExperimentInput>, 'idempotencyKey'>;

async function insertExperiment(tx: TenantTx, given: Given): Promise<ExperimentDefinition> {
  const { key, hypothesis, seed = key, hashVersion = 2, coverage = 1, layer } = given;
  const { test, alpha, correction, plannedUnits, minimumUnits } = given;
  const targeting = given.targeting == null ? null : readTargeting(given.targeting);
  const { layerId, holdouts, isKeyTaken } = await findReferences(tx, {
    versionIds: given.variants.flatMap(({ modelVersionId }) => modelVersionId ?? []),
    layerKey: layer?.key,
    holdoutKeys: given.holdouts ?? [],
    newKey: key,
  });
  if (isKeyTaken) throw new DomainError('already_exists', 'An experiment with this key exists already.');
  refuseSharedSeed(seed, holdouts);
  const id = newId<'Experiment'>();
  const variants = variantRows(given.variants);
  const metrics = metricRows(given.metrics ?? []);
  const toRow = <Part>(part: Part, position: number) => ({ ...part, experimentId: id, position });
  const variantIds = variants.map((variant) => variant.id);
  const weights = weightsOf(given.variants);
  const experiment = { id, key, changeNumber: 1 };
  const parts = await inOneFlight(
    () =>
      tx.insert(abExperiments).values({
        ...{ id, key, hypothesis, seed, hashVersion, targeting, layerId },
        ...{ test, alpha, correction, plannedUnits, minimumUnits },
        layerStart: layer?.start ?? null,
        layerEnd: layer?.end ?? null,
        lastChangeNumber: 1,
      }),
    () => tx.insert(abVariants).values(variants.map(toRow)),
    () =>
      tx.insert(abAllocations).values({
        ...{ experimentId: id, epoch: 1, seed, hashVersion, coverage, weights: [...weights], sdkCompatible: true },
        ranges: layOutRanges({ variantIds, weights, coverage }),
      }),
    async () => (metrics.length === 0 ? undefined : await tx.insert(abMetrics).values(metrics.map(toRow))),
    async () => await linkHoldouts(tx, id, holdouts),
    () => recordExperimentEvent(tx, { experiment, kind: 'created', fromStatus: null, toStatus: 'draft' }),
    () => getExperiment(tx, { experimentId: id }),
  );
  return parts[6];
}
