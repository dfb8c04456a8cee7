import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import type { FieldGrid } from '../baselines/field-profile.ts';
import { type LedgerPlaces, ledgerRows, ledgerValue, readLedgerPlaces } from '../baselines/ledger-columns.ts';
import { readFieldGrids } from '../baselines/read-fields.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { claimDays } from './claim-days.ts';
import { profileRows } from './profile-statement.ts';
import { type DayProfile, writeProfiles } from './write-profiles.ts';

export const RefreshProfilesInput = z.strictObject({
  /** Of one version alone. */
  versionId: z.uuid().optional(),
  /** Days that are taken at once. Default 10. */
  limit: z.int().min(1).max(MONITORING_LIMITS.daysAtOnce).optional(),
});
export type RefreshProfilesInput = Readonly<z.input<typeof RefreshProfilesInput>>;

export interface RefreshedProfiles {
  /** Days that were read anew; 0 where nothing was left, or others are at work on all that is. */
  readonly days: number;
  /** Rows of profiles that were written, because they differ from what they were. */
  readonly changed: number;
  /** Whether marks may be left, those that others are at work on among them. */
  readonly more: boolean;
}

/**
 * Brings the profiles of marked days up to date, the oldest marks first: each from all predictions of the day in the order
 * of their ids, never added to, so that it is bit for bit what a recomputation gives. A day of which predictions were deleted
 * keeps the profile of when they were there.
 *
 * Locks the last baselines of the versions until the transaction ends and passes over those that another holds; nobody who
 * records waits for it. Two statements, then five a day.
 *
 * The lock comes first and the predictions are read by later statements, whose snapshots have all that earlier holders
 * wrote. A mark that is deleted was seen, and with it the predictions of its transaction; one committed later stays.
 *
 * @throws DomainError `failed_precondition` in a transaction above read committed, where that would not hold.
 */
export async function refreshProfiles(tx: TenantTx, input: RefreshProfilesInput = {}): Promise<RefreshedProfiles> {
  const { versionId, limit = 10 } = parseInput(RefreshProfilesInput, input);
  const { days, more } = await claimDays(tx, limit, versionId);
  let changed = 0;
  let known:
    | { readonly baselineId: string; readonly fields: readonly FieldGrid[]; readonly places: LedgerPlaces }
    | undefined;
  for (const day of days) {
    if (known?.baselineId !== day.baselineId) {
      const fields = await readFieldGrids(tx, day.baselineId);
      known = { baselineId: day.baselineId, fields, places: await readLedgerPlaces(tx, day.versionId) };
    }
    const { fields, places } = known;
    const columns = fields.map(({ grid, field, name }) => ({
      grid,
      value: ledgerValue(places, field, name, grid.kind),
    }));
    const { rowCount, profiles } = await profileRows(tx, ledgerRows(tx, day.versionId, day.from, day.to), columns);
    const rows = fields.flatMap(({ number }, i): readonly DayProfile[] => {
      const profile = profiles[i];
      return profile === undefined ? [] : [{ fieldNumber: number, profile }];
    });
    changed += await writeProfiles(tx, { baselineId: day.baselineId, day: day.day, rowCount, rows });
  }
  return { days: days.length, changed, more };
}
