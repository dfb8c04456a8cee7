import { float8Array, int8Array, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import type { Profile } from '@mcp-hub/stats';
import { sql } from 'drizzle-orm';
import { rowOfProfile } from '../baselines/field-profile.ts';
import { monitoringProfiles } from '../baselines/schema.ts';

export interface DayProfile {
  readonly fieldNumber: number;
  readonly profile: Profile;
}

/** Puts the profiles of a day in the place of what they were, and gives how many differ. One statement; none without rows. */
export async function writeProfiles(
  tx: TenantTx,
  written: {
    readonly baselineId: string;
    readonly day: string;
    readonly rowCount: number;
    readonly rows: readonly DayProfile[];
  },
): Promise<number> {
  const { baselineId, day, rowCount } = written;
  if (rowCount === 0) return 0;
  const rows = written.rows.map(({ fieldNumber, profile }) => ({ fieldNumber, ...rowOfProfile(profile) }));
  const changed = await tx.execute(sql`
    insert into ${monitoringProfiles} as old
           (tenant_id, baseline_id, day, field_number, row_count, counts, nulls, nans, finite, mean, m2, min, max)
    select ${tenantOf(tx)}, ${baselineId}::uuid, ${day}::date, field_number, ${rowCount}::bigint, counts::int8[], nulls, nans,
           finite, mean, m2, min, max
      from unnest(${int8Array(rows.map(({ fieldNumber }) => fieldNumber))},
                  ${textArray(rows.map(({ counts }) => `{${counts.join(',')}}`))},
                  ${int8Array(rows.map(({ nulls }) => nulls))}, ${int8Array(rows.map(({ nans }) => nans))},
                  ${int8Array(rows.map(({ finite }) => finite))}, ${float8Array(rows.map(({ mean }) => mean))},
                  ${float8Array(rows.map(({ m2 }) => m2))}, ${float8Array(rows.map(({ min }) => min))},
                  ${float8Array(rows.map(({ max }) => max))})
             as given (field_number, counts, nulls, nans, finite, mean, m2, min, max)
        on conflict (tenant_id, baseline_id, day, field_number) do update
       set row_count = excluded.row_count, counts = excluded.counts, nulls = excluded.nulls, nans = excluded.nans,
           finite = excluded.finite, mean = excluded.mean, m2 = excluded.m2, min = excluded.min, max = excluded.max,
           updated_at = app_now()
     where excluded.row_count >= old.row_count
       and (old.row_count, old.counts, old.nulls, old.nans, old.finite, old.mean, old.m2, old.min, old.max)
           is distinct from
           (excluded.row_count, excluded.counts, excluded.nulls, excluded.nans, excluded.finite, excluded.mean, excluded.m2,
            excluded.min, excluded.max)
    returning 1`);
  return changed.length;
}
