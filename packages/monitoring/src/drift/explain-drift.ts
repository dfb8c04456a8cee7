import { parseInput, type TenantTx, tenantOf, toId } from '@mcp-hub/db-core';
import { type ExplainedBin, explainProfiles, mergeProfiles, type Profile } from '@mcp-hub/stats';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { readFields } from '../baselines/read-fields.ts';
import { type ProfiledField, profiledFields } from '../baselines/schema.ts';
import { checkNotFound, fieldNotFound } from '../not-found.ts';
import { readWindowProfiles } from '../profiles/read-profiles.ts';
import { monitoringDriftChecks } from './schema.ts';

export const ExplainDriftInput = z.strictObject({
  /** The id of a check. */
  checkId: z.uuid(),
  field: z.enum(profiledFields),
  /** Of a feature. */
  name: z.string().optional(),
});
export type ExplainDriftInput = Readonly<z.input<typeof ExplainDriftInput>>;

/** Why a field of a check is as far from its baseline as it is. */
export interface DriftExplanation {
  readonly field: ProfiledField;
  readonly name: string;
  /** In the order of the grid, then what is missing. Their contributions sum to PSI over all of them. */
  readonly bins: readonly ExplainedBin[];
  /** Null where a side has no values. */
  readonly psi: number | null;
  readonly reference: Profile;
  readonly current: Profile;
}

/**
 * What each bin of a field, and what is missing, adds to its distance from the baseline, in the window of a check as its
 * profiles are now. Four statements, no lock.
 *
 * @throws DomainError `not_found` without the check, or where its baseline does not have the field.
 */
export async function explainDrift(tx: TenantTx, input: ExplainDriftInput): Promise<DriftExplanation> {
  const { checkId, field, name = '' } = parseInput(ExplainDriftInput, input);
  const [check] = await tx
    .select({
      baselineId: monitoringDriftChecks.baselineId,
      modelVersionId: monitoringDriftChecks.modelVersionId,
      fromDay: monitoringDriftChecks.fromDay,
      toDay: monitoringDriftChecks.toDay,
    })
    .from(monitoringDriftChecks)
    .where(and(eq(monitoringDriftChecks.tenantId, tenantOf(tx)), eq(monitoringDriftChecks.id, toCheckId(checkId))));
  if (check === undefined) throw checkNotFound();
  const found = (await readFields(tx, check.baselineId)).find((one) => one.field === field && one.name === name);
  if (found === undefined) throw fieldNotFound();
  const { profiles } = await readWindowProfiles(
    tx,
    { id: check.baselineId, modelVersionId: check.modelVersionId },
    check,
  );
  const current = mergeProfiles(found.grid, profiles.get(found.number) ?? []);
  const bins = explainProfiles(found.grid, found.profile, current).value;
  return {
    ...{ field, name, bins: bins ?? [], reference: found.profile, current },
    psi: bins === null ? null : bins.reduce((sum, { contribution }) => sum + contribution, 0),
  };
}

const toCheckId = (id: string) => toId<'DriftCheck'>(id, 'checkId');
