import type { Id, TenantTx } from '@mcp-hub/db-core';
import { abHoldoutExperiments } from './schema.ts';

/** Holds the experiment out of the holdouts' units. */
export async function linkHoldouts(
  tx: TenantTx,
  experimentId: Id<'Experiment'>,
  holdouts: readonly { readonly id: Id<'Holdout'> }[],
): Promise<void> {
  if (holdouts.length === 0) return;
  await tx.insert(abHoldoutExperiments).values(holdouts.map(({ id }) => ({ experimentId, holdoutId: id })));
}
