import { DomainError, type Id, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import {
  experimentSubject,
  namesOneExperiment,
  ONE_EXPERIMENT,
  reasonText,
  seedText,
} from '../design/experiment-inputs.ts';
import { layOutRanges } from '../design/lay-out-ranges.ts';
import { refuseSharedSeed } from '../design/refuse-shared-seed.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { changeExperiment } from './change-experiment.ts';
import { insertEpoch, readAllocation } from './current-allocation.ts';
import { lockExperiment, requireStatus } from './lock-experiment.ts';

export const ReseedExperimentInput = z
  .strictObject({
    ...experimentSubject,
    /** Another than it has, such as `checkout:2`. */
    seed: seedText,
    /** Of an experiment that was started, which loses its order among the units that nobody has assigned yet. */
    reshuffle: z.literal(true).optional(),
    reason: reasonText.optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type ReseedExperimentInput = Readonly<z.input<typeof ReseedExperimentInput>>;

export interface Reseeded {
  readonly experimentId: Id<'Experiment'>;
  readonly epoch: number;
  readonly changeNumber: number;
}

/**
 * Gives an experiment another seed, which shuffles the units anew: the next epoch, with the ranges laid out as at first, so
 * that GrowthBook's SDKs agree again. Units that are assigned keep their variant; of an experiment that was started this
 * must be asked for by `reshuffle`.
 *
 * Under the lock of the experiment; three round trips. Announces `experiment.reseeded`.
 *
 * @throws DomainError `not_found`; `invalid_input` for the seed that it has, and that of a holdout of its;
 *   `failed_precondition` for an experiment that was started without `reshuffle`, and for one that has stopped.
 */
export async function reseedExperiment(tx: TenantTx, input: ReseedExperimentInput): Promise<Reseeded> {
  const { seed, reshuffle = false, reason, ...subject } = parseInput(ReseedExperimentInput, input);
  const experiment = await lockExperiment(tx, subject);
  const { id: experimentId, status, changeNumber } = experiment;
  requireStatus(status, ['draft', 'running', 'paused'], 'be shuffled');
  if (status !== 'draft' && !reshuffle) {
    throw new DomainError(
      'failed_precondition',
      'The experiment was started: another seed gives units that come from now on other variants. Ask for it by reshuffle.',
      { details: { field: 'reshuffle', status } },
    );
  }
  if (seed === experiment.seed) {
    throw new DomainError('invalid_input', 'seed must be another than the experiment has.', {
      details: { field: 'seed' },
    });
  }
  const { coverage, weights, variants, holdouts } = await readAllocation(tx, experiment);
  refuseSharedSeed(seed, holdouts);
  const epoch = experiment.epoch + 1;
  const ranges = layOutRanges({ variantIds: variants.map(({ id }) => id), weights, coverage });
  await inOneFlight(
    () => insertEpoch(tx, experiment, { epoch, seed, coverage, weights, ranges, sdkCompatible: true }),
    () =>
      changeExperiment(tx, experiment, {
        kind: 'reseeded',
        reason,
        detail: { epoch, fromSeed: experiment.seed, toSeed: seed },
        set: { epoch, seed },
      }),
  );
  return { experimentId, epoch, changeNumber };
}
