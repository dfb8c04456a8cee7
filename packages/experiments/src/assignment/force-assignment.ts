import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  experimentSubject,
  keyName,
  namesOneExperiment,
  ONE_EXPERIMENT,
  reasonText,
} from '../design/experiment-inputs.ts';
import { abVariants } from '../design/schema.ts';
import { abExposures } from '../exposures/schema.ts';
import { changeExperiment } from '../lifecycle/change-experiment.ts';
import { lockExperiment, requireStatus } from '../lifecycle/lock-experiment.ts';
import { variantNotFound } from '../not-found.ts';
import { type StoredAssignment, type StoredRow, storedColumns, toStored } from './assignment.ts';
import { abAssignments } from './schema.ts';
import { unitText } from './unit-inputs.ts';

export const ForceAssignmentInput = z
  .strictObject({ ...experimentSubject, unit: unitText, variantKey: keyName, reason: reasonText.optional() })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type ForceAssignmentInput = Readonly<z.input<typeof ForceAssignmentInput>>;

/**
 * Gives a unit a variant by hand, such as one's own device, in the place of the one that it has or would get. It is marked
 * and stays out of analysis. A unit that has this variant by hand already stays as it is.
 *
 * Under the lock of the experiment, and the unit's row; three round trips, two where nothing changes. Announces `experiment.assignment_forced`.
 *
 * @throws DomainError `not_found` without the experiment or the variant; `failed_precondition` for an experiment that neither
 *   runs nor is paused.
 */
export async function forceAssignment(tx: TenantTx, input: ForceAssignmentInput): Promise<StoredAssignment> {
  const { unit, variantKey, reason, ...subject } = parseInput(ForceAssignmentInput, input);
  const experiment = await lockExperiment(tx, subject);
  requireStatus(experiment.status, ['running', 'paused'], 'be given units by hand');
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<ForcedRow>(sql`
    with v as materialized (
      select v.id, v.key from ${abVariants} v
       where v.tenant_id = ${tenant} and v.experiment_id = ${experiment.id}::uuid and v.key = ${variantKey}
    ), before as materialized (
      select a.variant_id, a.forced from ${abAssignments} a
       where a.tenant_id = ${tenant} and a.experiment_id = ${experiment.id}::uuid and a.unit = ${unit}
    ), a as (
      insert into ${abAssignments} as a (tenant_id, experiment_id, unit, variant_id, epoch, forced)
      select ${tenant}, ${experiment.id}::uuid, ${unit}, v.id, ${experiment.epoch}::int, true from v
          on conflict (tenant_id, experiment_id, unit) do update
         set variant_id = excluded.variant_id,
             epoch       = case when a.forced and a.variant_id = excluded.variant_id then a.epoch else excluded.epoch end,
             assigned_at = case when a.forced and a.variant_id = excluded.variant_id then a.assigned_at else app_now() end,
             forced      = true,
             written_by  = pg_current_xact_id()
      returning a.*
    )
    select ${storedColumns}, before.variant_id as before_variant_id, coalesce(before.forced, false) as was_forced
      from a cross join v left join before on true`);
  if (row === undefined) throw variantNotFound();
  if (row.was_forced && row.before_variant_id === row.variant_id) return toStored(row);
  await changeExperiment(tx, experiment, {
    kind: 'assignment_forced',
    reason,
    detail: { unit, variantId: row.variant_id, variantKey, fromVariantId: row.before_variant_id },
  });
  return toStored(row);
}

interface ForcedRow extends StoredRow {
  /** Of the unit's row before, where it had one. */
  readonly before_variant_id: string | null;
  readonly was_forced: boolean;
}

export const RemoveForcedAssignmentInput = z
  .strictObject({ ...experimentSubject, unit: unitText, reason: reasonText.optional() })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type RemoveForcedAssignmentInput = Readonly<z.input<typeof RemoveForcedAssignmentInput>>;

/**
 * Takes away what forceAssignment gave: the unit has no variant until it is assigned again, by the allocation that then holds
 * and not as it may have been before. A unit that was not forced stays as it is.
 *
 * Under the lock of the experiment, and the unit's row; two round trips, three where there was one. Announces
 * `experiment.assignment_unforced`.
 *
 * @returns whether there was one. @throws DomainError `not_found` without the experiment; `failed_precondition` for one that
 *   neither runs nor is paused.
 */
export async function removeForcedAssignment(tx: TenantTx, input: RemoveForcedAssignmentInput): Promise<boolean> {
  const { unit, reason, ...subject } = parseInput(RemoveForcedAssignmentInput, input);
  const experiment = await lockExperiment(tx, subject);
  requireStatus(experiment.status, ['running', 'paused'], 'lose units that were given by hand');
  const [removed] = await tx.execute<{ variant_id: Id<'Variant'> }>(sql`
    with removed as (
      delete from ${abAssignments} a
       where a.tenant_id = ${tenantOf(tx)} and a.experiment_id = ${experiment.id}::uuid and a.unit = ${unit} and a.forced
      returning a.variant_id
    ), noticed as (
      -- The row that is gone cannot tell the refresh of an analysis that its unit counts again.
      update ${abExposures} e set written_by = pg_current_xact_id()
       where e.tenant_id = ${tenantOf(tx)} and e.experiment_id = ${experiment.id}::uuid and e.unit = ${unit}
         and exists (select from removed)
    )
    select variant_id from removed`);
  if (removed === undefined) return false;
  await changeExperiment(tx, experiment, {
    kind: 'assignment_unforced',
    reason,
    detail: { unit, variantId: removed.variant_id },
  });
  return true;
}
