import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from '../design/experiment-inputs.ts';
import { abExperiments } from '../design/schema.ts';
import { assignmentNotFound } from '../not-found.ts';
import { type StoredAssignment, type StoredRow, storedColumns, storedFrom, toStored } from './assignment.ts';
import { isExperimentAs } from './read-definition.ts';
import { unitText } from './unit-inputs.ts';

export const GetAssignmentInput = z
  .strictObject({ ...experimentSubject, unit: unitText })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type GetAssignmentInput = Readonly<z.input<typeof GetAssignmentInput>>;

/** As findAssignment. @throws DomainError `not_found` where it gives undefined. */
export async function getAssignment(tx: TenantTx, input: GetAssignmentInput): Promise<StoredAssignment> {
  const found = await findAssignment(tx, input);
  if (found === undefined) throw assignmentNotFound();
  return found;
}

/**
 * The variant that a unit was assigned, without assigning it; undefined where it was not, or there is no such experiment. One
 * statement, no lock: for readOne.
 */
export async function findAssignment(tx: TenantTx, input: GetAssignmentInput): Promise<StoredAssignment | undefined> {
  const { unit, ...subject } = parseInput(GetAssignmentInput, input);
  const [row] = await tx.execute<StoredRow>(sql`
    select ${storedColumns}
      from ${storedFrom}
     where a.tenant_id = ${tenantOf(tx)} and v.tenant_id = ${tenantOf(tx)} and a.unit = ${unit}
       and a.experiment_id = (select e.id from ${abExperiments} e where ${isExperimentAs(tx, subject, sql`e`)})`);
  return row === undefined ? undefined : toStored(row);
}
