import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { explainDifference, type SnapshotDifference } from './explain-difference.ts';
import { getSnapshot } from './get-snapshot.ts';
import { isSameFromData } from './verify-snapshot.ts';

export const CompareSnapshotsInput = z.strictObject({
  from: z.uuid(),
  to: z.uuid(),
  /** Whether to read the earlier one's data again, which tells outcomes that came late from new ones. Default false. */
  data: z.boolean().optional(),
});
export type CompareSnapshotsInput = Readonly<z.input<typeof CompareSnapshotsInput>>;

export interface SnapshotComparison {
  /** Whether they say the same, to the last bit. */
  readonly isSame: boolean;
  /** Empty where they do, and were of the same definition. */
  readonly differences: readonly SnapshotDifference[];
}

/**
 * Why one snapshot of an experiment differs from another: new data, late data, definition, code (explainDifference). Two
 * round trips, with `data` two beside those of the input.
 *
 * @throws DomainError `not_found`; `invalid_input` for snapshots of two experiments.
 */
export async function compareSnapshots(tx: TenantTx, input: CompareSnapshotsInput): Promise<SnapshotComparison> {
  const given = parseInput(CompareSnapshotsInput, input);
  const from = await getSnapshot(tx, { snapshotId: given.from });
  const to = await getSnapshot(tx, { snapshotId: given.to });
  if (from.experimentId !== to.experimentId) {
    throw new DomainError('invalid_input', 'from and to must be snapshots of the same experiment.', {
      details: { field: 'to' },
    });
  }
  const earlier = from.asOf <= to.asOf ? from : to;
  const isEarlierSame = given.data === true ? await isSameFromData(tx, earlier) : null;
  return {
    isSame: from.analysisHash === to.analysisHash,
    differences: explainDifference(from, to, isEarlierSame ?? undefined),
  };
}
