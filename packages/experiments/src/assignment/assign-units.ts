import { type Id, parseInput, type TenantTx, tenantOf, textArray, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  type ExperimentSubject,
  experimentSubject,
  namesOneExperiment,
  ONE_EXPERIMENT,
} from '../design/experiment-inputs.ts';
import { abExperiments } from '../design/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { keptChanging } from './assign.ts';
import {
  type Assignment,
  type StoredAssignment,
  type StoredRow,
  storedColumns,
  storedFrom,
  toAssigned,
  toStored,
  toUnassigned,
} from './assignment.ts';
import { compileAssignment } from './compile-assignment.ts';
import { isExperimentAs, readDefinition, type StoredDefinition } from './read-definition.ts';
import { abAssignments } from './schema.ts';
import { unitAttributes, unitText } from './unit-inputs.ts';

const UnitInput = z.strictObject({
  unit: unitText,
  /** What the targeting asks. Default: nothing is known. */
  attributes: unitAttributes.optional(),
});

export const AssignUnitsInput = z
  .strictObject({
    ...experimentSubject,
    /** Of a unit that is named twice the attributes that come first hold. */
    units: z.array(UnitInput).max(EXPERIMENT_LIMITS.unitsAtOnce).readonly(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type AssignUnitsInput = Readonly<z.input<typeof AssignUnitsInput>>;

const ATTEMPTS = 5;

/**
 * As assign, for up to 10,000 units, in their order. Two round trips, one where no unit is new; two more where others
 * assign some of the same units or change the experiment meanwhile. Calls with the same units do not wait for each other in a circle.
 *
 * @throws DomainError as assign.
 */
export async function assignUnits(tx: TenantTx, input: AssignUnitsInput): Promise<readonly Assignment[]> {
  const { units, ...subject } = parseInput(AssignUnitsInput, input);
  const made = new Map<string, Assignment>();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { definition, stored } = await lookUpUnits(
      tx,
      subject,
      units.map(({ unit }) => unit),
    );
    const { assignUnit } = compileAssignment(definition);
    const found = new Map<string, Assignment>();
    const fresh = new Map<string, Id<'Variant'>>();
    for (const { unit, attributes } of units) {
      if (found.has(unit) || fresh.has(unit)) continue;
      const row = stored.get(unit);
      if (row !== undefined) {
        found.set(unit, made.get(unit) ?? { ...row, isNew: false });
        continue;
      }
      const { variantId, reason } = assignUnit(unit, attributes);
      if (variantId === null) found.set(unit, toUnassigned(definition, unit, reason));
      else fresh.set(unit, variantId);
    }
    for (const assignment of await storeUnits(tx, definition, fresh)) {
      made.set(assignment.unit, assignment);
      found.set(assignment.unit, assignment);
    }
    const inOrder = units.flatMap(({ unit }) => found.get(unit) ?? []);
    if (inOrder.length === units.length) return inOrder;
  }
  throw keptChanging();
}

/**
 * What assignUnits would give, of an experiment in any status as if it ran now: for a look at a draft, and before it runs on.
 * Writes nothing and takes no lock; one round trip.
 *
 * @throws DomainError `not_found`; `invalid_input` as assignUnits.
 */
export async function previewAssignments(tx: TenantTx, input: AssignUnitsInput): Promise<readonly Assignment[]> {
  const { units, ...subject } = parseInput(AssignUnitsInput, input);
  const { definition, stored } = await lookUpUnits(
    tx,
    subject,
    units.map(({ unit }) => unit),
  );
  const { assignUnit } = compileAssignment({ ...definition, status: 'running' });
  return units.map(({ unit, attributes }) => {
    const row = stored.get(unit);
    if (row !== undefined) return { ...row, isNew: false };
    const { variantId, reason } = assignUnit(unit, attributes);
    return variantId === null
      ? toUnassigned(definition, unit, reason)
      : toAssigned(definition, { unit, variantId, assignedMs: definition.readMs });
  });
}

/** The definition, and those of the units that are stored, in one flight. */
async function lookUpUnits(
  tx: TenantTx,
  subject: ExperimentSubject,
  units: readonly string[],
): Promise<{ readonly definition: StoredDefinition; readonly stored: ReadonlyMap<string, StoredAssignment> }> {
  const [definition, rows] = await inOneFlight(
    () => readDefinition(tx, subject),
    () =>
      tx.execute<StoredRow>(sql`
        select ${storedColumns}
          from ${storedFrom}
         where a.tenant_id = ${tenantOf(tx)} and v.tenant_id = ${tenantOf(tx)}
           and a.experiment_id = (select e.id from ${abExperiments} e where ${isExperimentAs(tx, subject, sql`e`)})
           and a.unit = any (${textArray(units)})`),
  );
  return { definition, stored: new Map(rows.map((row) => [row.unit, toStored(row)])) };
}

/** Stores units under the definition, if it still holds, and gives those that nobody else has stored. One round trip. */
async function storeUnits(
  tx: TenantTx,
  definition: StoredDefinition,
  variants: ReadonlyMap<string, Id<'Variant'>>,
): Promise<readonly Assignment[]> {
  if (variants.size === 0) return [];
  const tenant = tenantOf(tx);
  const { id, changeNumber, allocation } = definition;
  const [row] = await tx.execute<{ units: readonly string[] | null; made_ms: number | null }>(sql`
    with held as materialized (
      select 1 from ${abExperiments} e
       where e.tenant_id = ${tenant} and e.id = ${id}::uuid and e.last_change_number = ${changeNumber}::int
         for key share
    ), made as (
      insert into ${abAssignments} (tenant_id, experiment_id, unit, variant_id, epoch)
      select ${tenant}, ${id}::uuid, given.unit, given.variant_id, ${allocation.epoch}::int
        from held, unnest(${textArray([...variants.keys()])}, ${uuidArray([...variants.values()])}) given (unit, variant_id)
       order by given.unit collate "C"
          on conflict (tenant_id, experiment_id, unit) do nothing
      returning unit, assigned_at
    )
    select array_agg(unit) as units, (extract(epoch from max(assigned_at)) * 1000)::float8 as made_ms from made`);
  return (row?.units ?? []).flatMap((unit) => {
    const variantId = variants.get(unit);
    return variantId === undefined ? [] : [toAssigned(definition, { unit, variantId, assignedMs: row?.made_ms ?? 0 })];
  });
}
