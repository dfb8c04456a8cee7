import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import {
  type FieldGrid,
  type FieldProfile,
  type GridRow,
  gridOfRow,
  type ProfileRow,
  profileOfRow,
} from './field-profile.ts';
import { monitoringBaselineFields, type ProfiledField } from './schema.ts';

interface FieldRow extends GridRow, ProfileRow, Record<string, unknown> {
  readonly number: number;
  readonly field: ProfiledField;
  readonly name: string;
  readonly singletons: number | null;
}

/** The fields of a baseline with their grids and profiles, by number. One statement. */
export async function readFields(tx: TenantTx, baselineId: string): Promise<readonly FieldProfile[]> {
  const rows = await tx.execute<FieldRow>(sql`
    select number, field, name, kind, edges, categories, others, is_complete, counts::float8[] as counts,
           nulls::float8 as nulls, nans::float8 as nans, finite::float8 as finite, mean, m2, min, max,
           singletons::float8 as singletons
      from ${monitoringBaselineFields}
     where tenant_id = ${tenantOf(tx)} and baseline_id = ${baselineId}::uuid
     order by number`);
  return rows.map((row) => ({
    ...{ number: row.number, field: row.field, name: row.name, grid: gridOfRow(row) },
    profile: profileOfRow(row.kind, row, row.singletons),
  }));
}

/** As readFields, for who needs the grids alone. */
export const readFieldGrids = async (tx: TenantTx, baselineId: string): Promise<readonly FieldGrid[]> =>
  await readFields(tx, baselineId);
