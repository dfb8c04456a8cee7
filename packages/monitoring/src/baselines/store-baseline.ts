import { type Id, newId, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { watchLedger } from '@mcp-hub/predictions';
import { predictionDayMarks } from '@mcp-hub/predictions/schema';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { scheduleProfiles } from '../profiles/schedule-profiles.ts';
import { type FieldProfile, rowOfProfile } from './field-profile.ts';
import { type BaselineSource, monitoringBaselineFields, monitoringBaselines } from './schema.ts';

export interface StoredBaseline {
  readonly id: Id<'Baseline'>;
  readonly versionId: Id<'ModelVersion'>;
  readonly revision: number;
  readonly rowCount: number;
  readonly fields: readonly FieldProfile[];
}

export interface NewBaseline {
  readonly versionId: Id<'ModelVersion'>;
  readonly source: BaselineSource;
  readonly window?: { readonly from: Date; readonly to: Date } | undefined;
  readonly timeZone: string;
  readonly rowCount: number;
  readonly fields: readonly FieldProfile[];
  /** From when on days are profiled by it. */
  readonly profileFrom: Date;
}

/** Stores a baseline as the next revision, has its days profiled, and has those who record mark them from now on. */
export async function storeBaseline(tx: TenantTx, baseline: NewBaseline): Promise<StoredBaseline> {
  const { versionId, source, window, timeZone, rowCount, fields, profileFrom } = baseline;
  const tenant = tenantOf(tx);
  const id = newId<'Baseline'>();
  const time = (at: Date | undefined) => (at === undefined ? sql`null` : timeParameter(at));
  // Alone, and before the next statement looks for the last revision.
  await tx.execute(sql`
    select from ${modelRegistry} v where v.tenant_id = ${tenant} and v.id = ${versionId}::uuid for no key update`);
  const [made] = await tx.execute<{ revision: number }>(sql`
    insert into ${monitoringBaselines}
           (tenant_id, id, model_version_id, revision, source, window_from, window_to, time_zone, row_count)
    select ${tenant}, ${id}::uuid, ${versionId}::uuid, coalesce(max(b.revision), 0) + 1, ${source}, ${time(window?.from)},
           ${time(window?.to)}, ${timeZone}, ${rowCount}::bigint
      from ${monitoringBaselines} b
     where b.tenant_id = ${tenant} and b.model_version_id = ${versionId}::uuid
    returning revision`);
  const rows = fields.map(({ profile, ...field }) => ({ ...field, profile, ...rowOfProfile(profile) }));
  if (rows.length > 0) {
    await tx.insert(monitoringBaselineFields).values(
      rows.map(({ number, field, name, grid, profile, ...columns }) => ({
        ...{ tenantId: tenant, baselineId: id, number, field, name, kind: grid.kind },
        ...(grid.kind === 'number'
          ? { edges: [...grid.edges] }
          : { categories: [...grid.categories], others: [...grid.others], isComplete: grid.isComplete }),
        ...columns,
        counts: [...columns.counts],
        singletons: profile.kind === 'category' ? profile.singletons : null,
      })),
    );
  }
  await tx.execute(sql`
    insert into ${predictionDayMarks} (tenant_id, model_version_id, day)
    select ${tenant}, ${versionId}::uuid, day::date
      from generate_series(date_trunc('day', ${timeParameter(profileFrom)}, 'UTC') at time zone 'UTC',
                           (app_now() + interval '1 day') at time zone 'UTC', interval '1 day') day`);
  await scheduleProfiles(tx, 0);
  // Last, because those who record wait from here on. A prediction that is recorded meanwhile is marked, or was there.
  await watchLedger(tx, { versionId });
  return { id, versionId, revision: made?.revision ?? 1, rowCount, fields };
}
