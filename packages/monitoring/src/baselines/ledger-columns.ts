import { idFloor, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { predictionLedgers, predictions } from '@mcp-hub/predictions/schema';
import { type SQL, sql } from 'drizzle-orm';
import type { ProfiledField, ProfiledKind } from './schema.ts';

/** Where a version's features stand in its predictions, from 1. */
export interface LedgerPlaces {
  readonly numbers: readonly string[];
  readonly categories: readonly string[];
}

/** The places of a version's features; none where it has no predictions yet. One statement. */
export async function readLedgerPlaces(tx: TenantTx, versionId: string): Promise<LedgerPlaces> {
  const [row] = await tx.execute<{ numbers: readonly string[]; categories: readonly string[] }>(sql`
    select number_features as numbers, category_features as categories
      from ${predictionLedgers}
     where tenant_id = ${tenantOf(tx)} and model_version_id = ${versionId}::uuid`);
  return row ?? { numbers: [], categories: [] };
}

/** The value of a field of a prediction, float8 or text; null where the version has none of the kind. */
export function ledgerValue(places: LedgerPlaces, field: ProfiledField, name: string, kind: ProfiledKind): SQL {
  if (field === 'score') return sql`p.score`;
  if (field === 'label') return sql`p.label`;
  const place = (kind === 'number' ? places.numbers : places.categories).indexOf(name) + 1;
  if (place === 0) return kind === 'number' ? sql`null::float8` : sql`null::text`;
  return sql.raw(kind === 'number' ? `p.numbers[${place}]` : `p.categories[${place}]`);
}

/** The predictions of a version from one time to another, in the order of time, as an item of FROM with the name p. */
export function ledgerRows(tx: TenantTx, versionId: string, from: Date, to: Date): SQL {
  return sql`(
    select numbers, categories, score, label
      from ${predictions}
     where tenant_id = ${tenantOf(tx)} and model_version_id = ${versionId}::uuid
       and id >= ${idFloor(from)}::uuid and id < ${idFloor(to)}::uuid
     order by id) p`;
}
