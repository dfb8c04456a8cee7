import { DomainError, type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type ExperimentSubject, experimentSubject } from '../design/experiment-inputs.ts';
import { abExperiments } from '../design/schema.ts';
import { experimentNotFound } from '../not-found.ts';
import {
  type Assignment,
  type StoredRow,
  storedColumns,
  storedFrom,
  toAssigned,
  toStored,
  toUnassigned,
} from './assignment.ts';
import type { UnitAssignment } from './assignment-definition.ts';
import { compileAssignment } from './compile-assignment.ts';
import { definitionOf, isExperimentAs, type PreparedAssignment, type StoredDefinition } from './read-definition.ts';
import { abAssignments } from './schema.ts';
import { unitAttributes, unitText } from './unit-inputs.ts';

export const AssignInput = z
  .strictObject({
    ...experimentSubject,
    /** In the place of key and experimentId: the experiment as prepareAssignment gave it. */
    prepared: z.custom<PreparedAssignment>((given) => typeof given === 'object' && given !== null).optional(),
    /** Who or what is assigned, 1 to 256 UTF-16 code units. */
    unit: unitText,
    /** What the targeting asks. Default: nothing is known. */
    attributes: unitAttributes.optional(),
  })
  .refine(
    (given) => [given.key, given.experimentId, given.prepared].filter((name) => name !== undefined).length === 1,
    'must name the experiment by key, by experimentId or as prepared, and by one of these',
  );
export type AssignInput = Readonly<z.input<typeof AssignInput>>;

/** The experiment changes while it is read: so often in a row is no accident. */
const ATTEMPTS = 5;

/**
 * The variant of a unit, which it keeps: the first call stores it, and of concurrent first calls all give the one that was
 * stored. A unit that is assigned has its variant whatever the experiment's weights, targeting or status have become; one
 * that is not is assigned while the experiment runs. For a unit without a variant nothing is stored.
 *
 * One round trip for a unit that is assigned or comes to no variant, two for a new one; one also for that with `prepared`. A
 * new unit holds the experiment's row FOR KEY SHARE, which keeps nobody waiting but who deletes it; who assigns the
 * same unit at the same time waits for this transaction.
 *
 * @throws DomainError `not_found`; `invalid_input` for a unit that cannot be stored, and attributes as assignUnit says;
 *   `conflict` where the experiment changed all the time.
 */
export async function assign(tx: TenantTx, input: AssignInput): Promise<Assignment> {
  const { prepared, unit, attributes, ...named } = parseInput(AssignInput, input);
  const subject = prepared === undefined ? named : { experimentId: prepared.definition.id };
  let compiled = prepared;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (compiled === undefined) {
      const look = await lookUp(tx, subject, unit);
      if ('assigned' in look) return look.assigned;
      compiled = compileAssignment(look.definition);
      const found = compiled.assignUnit(unit, attributes);
      if (found.variantId === null) return toUnassigned(look.definition, unit, found.reason);
    }
    const { definition } = compiled;
    const assignment = await store(tx, definition, unit, compiled.assignUnit(unit, attributes));
    if (assignment !== undefined) return assignment;
    // Another has stored the unit or changed the experiment, which the next statement sees.
    compiled = undefined;
  }
  throw keptChanging();
}

export const keptChanging = () =>
  new DomainError('conflict', 'The experiment changed each time that it was read. Try again.', {
    details: { retryable: true },
  });

interface LookRow extends Record<string, unknown> {
  readonly stored: StoredRow | null;
  readonly definition: StoredDefinition | null;
}

/** The unit's row, or where there is none what the experiment assigns by, in one statement. */
async function lookUp(
  tx: TenantTx,
  subject: ExperimentSubject,
  unit: string,
): Promise<{ readonly assigned: Assignment } | { readonly definition: StoredDefinition }> {
  const [row] = await tx.execute<LookRow>(sql`
    select row_to_json(s) as stored, case when s is null then ${definitionOf(sql`e`)} end as definition
      from ${abExperiments} e
      left join lateral (
        select ${storedColumns} from ${storedFrom}
         where a.tenant_id = e.tenant_id and a.experiment_id = e.id and a.unit = ${unit} and v.tenant_id = a.tenant_id
      ) s on true
     where ${isExperimentAs(tx, subject, sql`e`)}`);
  if (row?.stored != null) return { assigned: { ...toStored(row.stored), isNew: false } };
  if (row?.definition == null) throw experimentNotFound();
  return { definition: row.definition };
}

interface StoreRow extends Record<string, unknown> {
  readonly stored: StoredRow | null;
  readonly made_ms: number | null;
  readonly is_current: boolean;
}

/**
 * Stores what was found for a unit, unless it is stored, or the definition no longer holds. Undefined where it has to be
 * looked at again: the experiment has changed, or another transaction has stored the unit since this statement began.
 */
async function store(
  tx: TenantTx,
  definition: StoredDefinition,
  unit: string,
  found: UnitAssignment,
): Promise<Assignment | undefined> {
  const tenant = tenantOf(tx);
  const { id, changeNumber, allocation } = definition;
  const isCurrent = sql`e.tenant_id = ${tenant} and e.id = ${id}::uuid and e.last_change_number = ${changeNumber}::int`;
  const stored = sql`
    with stored as materialized (
      select ${storedColumns} from ${storedFrom}
       where a.tenant_id = ${tenant} and a.experiment_id = ${id}::uuid and a.unit = ${unit} and v.tenant_id = ${tenant}
    )`;
  const [row] = await tx.execute<StoreRow>(
    found.variantId === null
      ? sql`
        ${stored}
        select (select row_to_json(stored) from stored) as stored, null as made_ms,
               exists (select from ${abExperiments} e where ${isCurrent}) as is_current`
      : sql`
        ${stored}, held as materialized (
          select 1 from ${abExperiments} e
           where ${isCurrent} and not exists (select from stored)
             for key share
        ), made as (
          insert into ${abAssignments} (tenant_id, experiment_id, unit, variant_id, epoch)
          select ${tenant}, ${id}::uuid, ${unit}, ${found.variantId}::uuid, ${allocation.epoch}::int from held
              on conflict (tenant_id, experiment_id, unit) do nothing
          returning assigned_at
        )
        select (select row_to_json(stored) from stored) as stored,
               (select (extract(epoch from assigned_at) * 1000)::float8 from made) as made_ms, false as is_current`,
  );
  if (row === undefined) throw new TypeError('A select without FROM gives a row');
  if (row.stored !== null) return { ...toStored(row.stored), isNew: false };
  if (found.variantId === null) {
    return row.is_current ? toUnassigned(definition, unit, found.reason) : undefined;
  }
  if (row.made_ms === null) return undefined;
  return toAssigned(definition, { unit, variantId: found.variantId as Id<'Variant'>, assignedMs: row.made_ms });
}
