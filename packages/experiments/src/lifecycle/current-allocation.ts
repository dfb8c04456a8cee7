import { DomainError, type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { abAllocations, abHoldoutExperiments, abHoldouts, abVariants, type VariantRange } from '../design/schema.ts';
import type { LockedExperiment } from './lock-experiment.ts';

export interface CurrentAllocation {
  readonly coverage: number;
  /** By the variants' positions. */
  readonly weights: readonly number[];
  readonly ranges: readonly VariantRange[];
  readonly sdkCompatible: boolean;
  /** In the order of their positions. */
  readonly variants: readonly { readonly id: Id<'Variant'>; readonly key: string }[];
  readonly holdouts: readonly { readonly seed: string }[];
}

/** The allocation of a locked experiment that holds. One statement. */
export async function readAllocation(
  tx: TenantTx,
  experiment: Pick<LockedExperiment, 'id' | 'epoch'>,
): Promise<CurrentAllocation> {
  const [row] = await tx
    .select({
      coverage: abAllocations.coverage,
      weights: abAllocations.weights,
      ranges: abAllocations.ranges,
      sdkCompatible: abAllocations.sdkCompatible,
      // In raw SQL the outer table is spelled out: Drizzle drops it from columns.
      variants: sql<CurrentAllocation['variants']>`(
        select json_agg(json_build_object('id', v.id, 'key', v.key) order by v.position)
          from ${abVariants} v
         where v.tenant_id = ab_allocations.tenant_id and v.experiment_id = ab_allocations.experiment_id)`,
      holdouts: sql<CurrentAllocation['holdouts']>`(
        select coalesce(json_agg(json_build_object('seed', h.seed)), '[]')
          from ${abHoldoutExperiments} e
          join ${abHoldouts} h on h.tenant_id = e.tenant_id and h.id = e.holdout_id
         where e.tenant_id = ab_allocations.tenant_id and e.experiment_id = ab_allocations.experiment_id)`,
    })
    .from(abAllocations)
    .where(
      and(
        eq(abAllocations.tenantId, tenantOf(tx)),
        eq(abAllocations.experimentId, experiment.id),
        eq(abAllocations.epoch, experiment.epoch),
      ),
    );
  if (row === undefined) throw new DomainError('internal', "The experiment's allocation is missing.");
  return row;
}

export interface NewEpoch {
  readonly epoch: number;
  /** Default: the experiment's. */
  readonly seed?: string;
  readonly coverage: number;
  /** By the variants' positions. */
  readonly weights: readonly number[];
  readonly ranges: readonly VariantRange[];
  readonly sdkCompatible: boolean;
}

/** Adds an epoch to the allocations of a locked experiment. The caller makes it the one that holds. One statement. */
export async function insertEpoch(
  tx: TenantTx,
  { id: experimentId, seed, hashVersion }: Pick<LockedExperiment, 'id' | 'seed' | 'hashVersion'>,
  { weights, ...epoch }: NewEpoch,
): Promise<void> {
  await tx.insert(abAllocations).values({ experimentId, seed, hashVersion, ...epoch, weights: [...weights] });
}
