import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { analyse } from '../analysis/analyse.ts';
import { ANALYSIS_VERSION } from '../analysis/analysis.ts';
import { readAnalysisInput } from '../units/read-analysis-input.ts';
import { getSnapshot } from './get-snapshot.ts';
import { hashOf } from './hash-of.ts';
import { readAnalysisDefinition } from './read-analysis-definition.ts';
import type { Snapshot } from './snapshot.ts';
import { storedInput } from './stored-input.ts';

export const VerifySnapshotInput = z.strictObject({
  snapshotId: z.uuid(),
  /** Whether to read the data as of the snapshot's time again, which brings the units up to date. Default false. */
  data: z.boolean().optional(),
});
export type VerifySnapshotInput = Readonly<z.input<typeof VerifySnapshotInput>>;

export interface SnapshotVerification {
  /** The rows that are stored are those that were written. */
  readonly isIntact: boolean;
  /** Computed again from the stored definition and input, the analysis is the same to the last bit. */
  readonly isSameFromInput: boolean;
  /** Whether the analysis is of the version that computed it; where it is another, the one above may be false rightly. */
  readonly isSameCode: boolean;
  /**
   * Whether the data as of the snapshot's time, read again, are the same input: false where some came late or were deleted.
   * Null where it was not asked, or the definition is another by now, so that other things would be counted.
   */
  readonly isSameFromData: boolean | null;
}

/**
 * Computes a snapshot again and says whether it is the same to the last bit. One round trip, with `data` three beside those
 * of the input; writes nothing but what bringing the units up to date does. @throws DomainError `not_found`.
 */
export async function verifySnapshot(tx: TenantTx, input: VerifySnapshotInput): Promise<SnapshotVerification> {
  const { snapshotId, data = false } = parseInput(VerifySnapshotInput, input);
  const snapshot = await getSnapshot(tx, { snapshotId });
  const { analysisHash, inputHash, definition, look } = snapshot;
  const stored = snapshot.input;
  return {
    isIntact: hashOf(storedInput(stored)) === inputHash && hashOf(snapshot.analysis) === analysisHash,
    isSameFromInput: hashOf(analyse(definition, stored, { look })) === analysisHash,
    isSameCode: snapshot.codeVersion === ANALYSIS_VERSION,
    isSameFromData: data ? await isSameFromData(tx, snapshot) : null,
  };
}

/** Reads what a snapshot was computed from again; null where the definition is another by now. */
export async function isSameFromData(
  tx: TenantTx,
  { experimentId, asOf, inputHash, definition }: Pick<Snapshot, 'experimentId' | 'asOf' | 'inputHash' | 'definition'>,
): Promise<boolean | null> {
  const now = await readAnalysisDefinition(tx, { experimentId });
  if (hashOf(now.definition) !== hashOf(definition)) return null;
  return hashOf(storedInput(await readAnalysisInput(tx, { experimentId, asOf, full: true }))) === inputHash;
}
