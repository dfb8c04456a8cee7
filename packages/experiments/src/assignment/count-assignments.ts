import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { GetExperimentInput } from '../design/get-experiment.ts';
import { abExperiments, abVariants } from '../design/schema.ts';
import { experimentNotFound } from '../not-found.ts';
import { isExperimentAs } from './read-definition.ts';
import { abAssignments } from './schema.ts';

/** How many units a variant got in one epoch. */
export interface AssignmentCount {
  readonly variantId: Id<'Variant'>;
  readonly variantKey: string;
  readonly epoch: number;
  /** By the hash. */
  readonly units: number;
  readonly forcedUnits: number;
}

/**
 * Units by variant, in the order in which these were given, and by the epoch in which they were assigned. A variant without
 * units in an epoch is not there. One statement, which reads all rows of the experiment; no lock.
 *
 * @throws DomainError `not_found`.
 */
export async function countAssignments(tx: TenantTx, input: GetExperimentInput): Promise<readonly AssignmentCount[]> {
  const subject = parseInput(GetExperimentInput, input);
  const [row] = await tx.execute<{ counts: readonly AssignmentCount[] }>(sql`
    select coalesce((
             select json_agg(json_build_object('variantId', v.id, 'variantKey', v.key, 'epoch', n.epoch,
                                               'units', n.units, 'forcedUnits', n.forced_units) order by v.position, n.epoch)
               from (select a.variant_id, a.epoch, count(*) filter (where not a.forced) as units,
                            count(*) filter (where a.forced) as forced_units
                       from ${abAssignments} a
                      where a.tenant_id = ${tenantOf(tx)} and a.experiment_id = e.id
                      group by a.variant_id, a.epoch) n
               join ${abVariants} v on v.tenant_id = e.tenant_id and v.id = n.variant_id), '[]') as counts
      from ${abExperiments} e
     where ${isExperimentAs(tx, subject, sql`e`)}`);
  if (row === undefined) throw experimentNotFound();
  return row.counts;
}
