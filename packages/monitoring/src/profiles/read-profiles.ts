import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionDayMarks } from '@mcp-hub/predictions/schema';
import type { Profile } from '@mcp-hub/stats';
import { sql } from 'drizzle-orm';
import { type ProfileRow, profileOfRow } from '../baselines/field-profile.ts';
import { monitoringBaselineFields, monitoringProfiles, type ProfiledKind } from '../baselines/schema.ts';

interface WindowRow extends ProfileRow, Record<string, unknown> {
  readonly field_number: number;
  readonly kind: ProfiledKind;
  readonly day: string;
  readonly row_count: number;
}

export interface WindowProfiles {
  /** Predictions in the window. */
  readonly rowCount: number;
  /** By the numbers of fields, a profile a day in the order of days. */
  readonly profiles: ReadonlyMap<number, readonly Profile[]>;
  /** Whether days of the window are marked. */
  readonly isStale: boolean;
}

/** The profiles of the days of a window under one baseline. Two statements. */
export async function readWindowProfiles(
  tx: TenantTx,
  baseline: { readonly id: string; readonly modelVersionId: string },
  { fromDay, toDay }: { readonly fromDay: string; readonly toDay: string },
): Promise<WindowProfiles> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute<WindowRow>(sql`
    select p.field_number, f.kind, p.day::text as day, p.row_count::float8 as row_count, p.counts::float8[] as counts,
           p.nulls::float8 as nulls, p.nans::float8 as nans, p.finite::float8 as finite, p.mean, p.m2, p.min, p.max
      from ${monitoringProfiles} p
      join ${monitoringBaselineFields} f
        on f.tenant_id = p.tenant_id and f.baseline_id = p.baseline_id and f.number = p.field_number
     where p.tenant_id = ${tenant} and p.baseline_id = ${baseline.id}::uuid
       and p.day between ${fromDay}::date and ${toDay}::date
     order by p.day, p.field_number`);
  const [marked] = await tx.execute<{ is_stale: boolean }>(sql`
    select exists (select from ${predictionDayMarks} m
                    where m.tenant_id = ${tenant} and m.model_version_id = ${baseline.modelVersionId}::uuid
                      -- A day of another zone lies in two of UTC.
                      and m.day between ${fromDay}::date - 1 and ${toDay}::date + 1) as is_stale`);
  const profiles = new Map<number, Profile[]>();
  const days = new Map<string, number>();
  for (const row of rows) {
    days.set(row.day, row.row_count);
    const own = profiles.get(row.field_number) ?? [];
    own.push(profileOfRow(row.kind, row, null));
    profiles.set(row.field_number, own);
  }
  return {
    rowCount: [...days.values()].reduce((sum, count) => sum + count, 0),
    profiles,
    isStale: marked?.is_stale ?? false,
  };
}
