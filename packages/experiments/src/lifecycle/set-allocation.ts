import { DomainError, type Id, keepsEachKey, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import {
  experimentSubject,
  keyName,
  namesOneExperiment,
  ONE_EXPERIMENT,
  reasonText,
  share,
  sumToOne,
} from '../design/experiment-inputs.ts';
import { layOutRanges, moveRanges } from '../design/lay-out-ranges.ts';
import type { VariantRange } from '../design/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { changeExperiment } from './change-experiment.ts';
import { type CurrentAllocation, insertEpoch, readAllocation } from './current-allocation.ts';
import { lockExperiment, requireStatus } from './lock-experiment.ts';

export const SetAllocationInput = z
  .strictObject({
    ...experimentSubject,
    /** Of every variant by its key; they sum to 1. Default: as they are. */
    weights: keepsEachKey<Record<string, number>>().pipe(z.record(keyName, share)).optional(),
    /** The share of all units that is asked. Default: as it is. */
    coverage: share.optional(),
    reason: reasonText.optional(),
    /** The epoch that must hold before the change. */
    expectedEpoch: z.int().optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT })
  .refine(({ weights }) => weights === undefined || sumToOne(Object.values(weights)), {
    path: ['weights'],
    error: 'must sum to 1',
  });
export type SetAllocationInput = Readonly<z.input<typeof SetAllocationInput>>;

export interface ChangedAllocation {
  readonly experimentId: Id<'Experiment'>;
  readonly epoch: number;
  readonly coverage: number;
  /** By the variants' keys. */
  readonly weights: Readonly<Record<string, number>>;
  readonly ranges: readonly VariantRange[];
  /** The share of all places whose variant is another than before, from and to none included; 0 of a draft. */
  readonly moved: number;
  /** Whether GrowthBook's SDKs assign the same from seed, coverage and weights. */
  readonly sdkCompatible: boolean;
  /** Of ab_experiment_events; undefined where the allocation was this already and nothing was written. */
  readonly changeNumber: number | undefined;
}

/**
 * Shares out the hash anew, as the next epoch; the epochs before are kept. Of an experiment that was started as few places
 * as possible change hands (reallocate of stats), which may end the agreement with GrowthBook's SDKs; a draft, which has
 * assigned nobody, is laid out anew. Units that are assigned keep their variant either way.
 *
 * Under the lock of the experiment; three round trips. Announces `experiment.reallocated`.
 *
 * @throws DomainError `not_found`; `invalid_input` for weights that do not name every variant; `conflict` where
 *   `expectedEpoch` is given and another holds; `failed_precondition` for an experiment that has stopped.
 */
export async function setAllocation(tx: TenantTx, input: SetAllocationInput): Promise<ChangedAllocation> {
  const {
    weights: wanted,
    coverage: wantedCoverage,
    reason,
    expectedEpoch,
    ...subject
  } = parseInput(SetAllocationInput, input);
  const experiment = await lockExperiment(tx, subject);
  requireStatus(experiment.status, ['draft', 'running', 'paused'], 'share out its units anew');
  if (expectedEpoch !== undefined && expectedEpoch !== experiment.epoch) {
    throw new DomainError('conflict', `Epoch ${experiment.epoch} of the allocation holds, not the one expected.`, {
      details: { field: 'expectedEpoch', epoch: experiment.epoch },
    });
  }
  const before = await readAllocation(tx, experiment);
  const variantIds = before.variants.map(({ id }) => id);
  const weights = wanted === undefined ? before.weights : weightsOf(before, wanted);
  const shares = { variantIds, weights, coverage: wantedCoverage ?? before.coverage };
  const now = {
    experimentId: experiment.id,
    coverage: shares.coverage,
    weights: Object.fromEntries(before.variants.map(({ key }, at) => [key, weights[at] ?? 0])),
  };
  const isSame = shares.coverage === before.coverage && weights.every((weight, at) => weight === before.weights[at]);
  if (isSame) {
    const { ranges, sdkCompatible } = before;
    return { ...now, epoch: experiment.epoch, ranges, moved: 0, sdkCompatible, changeNumber: undefined };
  }
  const moved = moveRanges(before.ranges, shares);
  const isDraft = experiment.status === 'draft';
  const ranges = isDraft ? layOutRanges(shares) : moved.ranges;
  const sdkCompatible = isDraft || moved.isSdkCompatible;
  const epoch = experiment.epoch + 1;
  const { coverage } = shares;
  await inOneFlight(
    () => insertEpoch(tx, experiment, { epoch, coverage, weights, ranges, sdkCompatible }),
    () =>
      changeExperiment(tx, experiment, {
        kind: 'reallocated',
        reason,
        detail: { epoch, coverage, weights: now.weights, sdkCompatible, ...(isDraft ? {} : { moved: moved.moved }) },
        set: { epoch },
      }),
  );
  const { changeNumber } = experiment;
  return { ...now, epoch, ranges, moved: isDraft ? 0 : moved.moved, sdkCompatible, changeNumber };
}

function weightsOf({ variants }: CurrentAllocation, wanted: Readonly<Record<string, number>>): readonly number[] {
  const weights = variants.flatMap(({ key }) => (Object.hasOwn(wanted, key) ? [wanted[key] ?? 0] : []));
  if (weights.length === variants.length && Object.keys(wanted).length === variants.length) return weights;
  throw new DomainError('invalid_input', 'weights must name every variant of the experiment, and no other.', {
    details: { field: 'weights' },
  });
}
