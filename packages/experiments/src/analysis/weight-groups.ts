import type { AnalysisDefinition } from './analysis-definition.ts';

/** Epochs that shared the units out in the same proportions: as one allocation to every test. */
export interface WeightGroup {
  readonly epochs: readonly number[];
  /** Shares of 1 in the order of the variants. */
  readonly shares: readonly number[];
}

/** Weights this near are the same: they differ by what normalising them rounds. */
const SAME_SHARE = 1e-9;

/** The epochs by their proportions, so that more coverage with the weights as they were begins no new group. */
export function weightGroups({ allocations }: AnalysisDefinition): readonly WeightGroup[] {
  const groups: { epochs: number[]; shares: readonly number[] }[] = [];
  for (const { epoch, weights } of allocations) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = weights.map((weight) => (total > 0 ? weight / total : 0));
    const known = groups.find((group) =>
      group.shares.every((share, at) => Math.abs(share - (shares[at] ?? 0)) <= SAME_SHARE),
    );
    if (known === undefined) groups.push({ epochs: [epoch], shares });
    else known.epochs.push(epoch);
  }
  return groups;
}
