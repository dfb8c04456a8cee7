import { DomainError, IDEMPOTENCY_LIMITS, nameInput, oncePerKey, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from '../design/experiment-inputs.ts';
import { readAnalysisInput } from '../units/read-analysis-input.ts';
import { getSnapshot } from './get-snapshot.ts';
import { readAnalysisDefinition } from './read-analysis-definition.ts';
import type { Snapshot } from './snapshot.ts';
import { storeSnapshot } from './store-snapshot.ts';

export const TakeSnapshotInput = z
  .strictObject({
    ...experimentSubject,
    /** Exposures and outcomes from this time on are not looked at. Default: now. */
    asOf: z.date().optional(),
    /** One for each snapshot that the client wants: a repeated call with it gives the first. */
    idempotencyKey: nameInput(IDEMPOTENCY_LIMITS.keyLength).optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type TakeSnapshotInput = Readonly<z.input<typeof TakeSnapshotInput>>;

/**
 * Analyses an experiment as of a time and keeps the result with all that it was computed from. Each different input is one
 * more look at the experiment: a fixed test is decided by its first alone.
 *
 * The units are brought up to date first (readAnalysisInput); then under the lock of the experiment, by which looks are
 * counted one after the other; five round trips beside those of the input. Locks the refresh first and the experiment after
 * it, so that an experiment can be stopped while its units are counted: a transaction that changes the experiment and then
 * takes a snapshot meets another snapshot in a circle, which ends one of the two with a `conflict` that may be retried.
 *
 * @throws DomainError `not_found`; `failed_precondition` for a draft; `invalid_input` for an `asOf` that lies ahead;
 *   `conflict` where the definition changed meanwhile, or the idempotency key came with other input before.
 */
export async function takeSnapshot(tx: TenantTx, input: TakeSnapshotInput): Promise<Snapshot> {
  const { idempotencyKey: key, ...given } = parseInput(TakeSnapshotInput, input);
  const { asOf: wanted, ...subject } = given;
  const call = {
    ...{ scope: 'experiments.takeSnapshot', key },
    request: { ...subject, asOf: wanted?.toISOString() ?? null },
  };
  const snapshotId = await oncePerKey<string>(tx, call, async () => {
    const read = await readAnalysisDefinition(tx, subject);
    const { experiment, now } = read;
    if (experiment.status === 'draft') {
      throw new DomainError('failed_precondition', 'A draft has no units to analyse. Start the experiment first.');
    }
    const asOf = wanted ?? now;
    if (asOf > now) {
      const message = 'asOf must not lie ahead: what has not happened yet cannot be read again later.';
      throw new DomainError('invalid_input', message, { details: { field: 'asOf' } });
    }
    return await storeSnapshot(tx, read, await readAnalysisInput(tx, { experimentId: experiment.id, asOf }));
  });
  return await getSnapshot(tx, { snapshotId });
}
