import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import type { ExperimentSubject } from '../design/experiment-inputs.ts';
import { GetExperimentInput } from '../design/get-experiment.ts';
import {
  abAllocations,
  abExperiments,
  abHoldoutExperiments,
  abHoldouts,
  abLayers,
  abVariants,
} from '../design/schema.ts';
import { experimentNotFound } from '../not-found.ts';
import type { AssignmentDefinition } from './assignment-definition.ts';
import { type CompiledAssignment, compileAssignment } from './compile-assignment.ts';

/** What an experiment assigns by, as it was when it was read. */
export interface StoredDefinition extends AssignmentDefinition {
  readonly id: Id<'Experiment'>;
  /** Of the experiment's last change: who writes by the definition looks whether it still holds. */
  readonly changeNumber: number;
  readonly variants: readonly { readonly id: Id<'Variant'>; readonly key: string }[];
  /** When it was read, by app_now(), in milliseconds since 1970. */
  readonly readMs: number;
}

/** A definition that was read and prepared, to be kept by a service; see prepareAssignment. */
export type PreparedAssignment = CompiledAssignment<StoredDefinition>;

/**
 * Reads what an experiment assigns by, and prepares it. A service that keeps it for a while and gives it to `assign` needs one
 * round trip also for units that are new. It cannot assign by what no longer holds: `assign` looks in the same
 * statement, and reads it again where it has changed, for two more. One statement, no lock.
 *
 * @throws DomainError `not_found`.
 */
export async function prepareAssignment(tx: TenantTx, input: GetExperimentInput): Promise<PreparedAssignment> {
  return compileAssignment(await readDefinition(tx, parseInput(GetExperimentInput, input)));
}

export async function readDefinition(tx: TenantTx, subject: ExperimentSubject): Promise<StoredDefinition> {
  const [row] = await tx.execute<{ definition: StoredDefinition }>(sql`
    select ${definitionOf(sql`e`)} as definition from ${abExperiments} e where ${isExperimentAs(tx, subject, sql`e`)}`);
  if (row === undefined) throw experimentNotFound();
  return row.definition;
}

/** As isExperiment, of an alias in raw SQL. */
export function isExperimentAs(tx: TenantTx, { key = '', experimentId }: ExperimentSubject, e: SQL): SQL {
  const named = experimentId === undefined ? sql`${e}.key = ${key}` : sql`${e}.id = ${experimentId}::uuid`;
  return sql`${e}.tenant_id = ${tenantOf(tx)} and ${named}`;
}

/** A StoredDefinition as json, of a row of ab_experiments. */
export function definitionOf(e: SQL): SQL {
  return sql`json_build_object(
    'readMs', (extract(epoch from app_now()) * 1000)::float8, 'id', ${e}.id, 'status', ${e}.status, 'changeNumber', ${e}.last_change_number, 'targeting', ${e}.targeting,
    'allocation', (
      select json_build_object('epoch', n.epoch, 'seed', n.seed, 'hashVersion', n.hash_version, 'ranges', n.ranges)
        from ${abAllocations} n
       where n.tenant_id = ${e}.tenant_id and n.experiment_id = ${e}.id and n.epoch = ${e}.epoch),
    'layer', (
      select json_build_object('seed', l.seed, 'start', ${e}.layer_start, 'end', ${e}.layer_end)
        from ${abLayers} l
       where l.tenant_id = ${e}.tenant_id and l.id = ${e}.layer_id),
    'holdouts', (
      select coalesce(json_agg(json_build_object('seed', h.seed, 'share', h.share)), '[]')
        from ${abHoldoutExperiments} x
        join ${abHoldouts} h on h.tenant_id = x.tenant_id and h.id = x.holdout_id
       where x.tenant_id = ${e}.tenant_id and x.experiment_id = ${e}.id),
    'variants', (
      select json_agg(json_build_object('id', v.id, 'key', v.key) order by v.position)
        from ${abVariants} v
       where v.tenant_id = ${e}.tenant_id and v.experiment_id = ${e}.id))`;
}
