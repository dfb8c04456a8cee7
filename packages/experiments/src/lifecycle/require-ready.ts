import { DomainError, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { abExperiments, abLayers, abMetrics, abVariants } from '../design/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import type { LockedExperiment } from './lock-experiment.ts';

interface Lacks extends Record<string, unknown> {
  readonly primary: boolean;
  readonly versions: boolean;
}

/**
 * Looks whether a draft can start. Takes the lock of its layer, until the transaction ends, so that of two that want the
 * same range one starts.
 *
 * @throws DomainError `failed_precondition` that says what is missing; `conflict` for a range that is taken.
 */
export async function requireReady(tx: TenantTx, experiment: LockedExperiment): Promise<void> {
  const tenant = tenantOf(tx);
  const { id, layerId, layerStart, layerEnd } = experiment;
  const [[lacks]] = await inOneFlight(
    () =>
      tx.execute<Lacks>(sql`
        select not exists (select from ${abMetrics} m
                            where m.tenant_id = ${tenant} and m.experiment_id = ${id} and m.role = 'primary') as "primary",
               exists (select from ${abVariants} v
                         join ${modelRegistry} r on r.tenant_id = v.tenant_id and r.id = v.model_version_id
                        where v.tenant_id = ${tenant} and v.experiment_id = ${id} and r.deleted_at is not null) as versions`),
    () =>
      tx.execute(
        sql`select 1 from ${abLayers} where tenant_id = ${tenant} and id = ${layerId}::uuid for no key update`,
      ),
  );
  if (lacks?.primary) throw notReady('has no primary metric. Give it one by updateExperiment', 'metrics');
  if (lacks?.versions) throw notReady('has a variant whose model version was deleted. Name another', 'variants');
  if (layerId === null) return;
  const taken = await tx.execute(sql`
    select 1 from ${abExperiments}
     where tenant_id = ${tenant} and layer_id = ${layerId}::uuid and id <> ${id}::uuid and status in ('running', 'paused')
       and layer_start < ${layerEnd}::float8 and layer_end > ${layerStart}::float8
     limit 1`);
  if (taken.length === 0) return;
  throw new DomainError(
    'conflict',
    'Another running or paused experiment has a part of this range of the layer. Take a free one: listLayers tells them.',
    { details: { field: 'layer' } },
  );
}

const notReady = (what: string, field: string) =>
  new DomainError('failed_precondition', `The experiment ${what}, then start it.`, { details: { field } });
