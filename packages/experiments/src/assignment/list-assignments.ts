import {
  booleanField,
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from '../design/experiment-inputs.ts';
import { abExperiments, abVariants } from '../design/schema.ts';
import type { StoredAssignment } from './assignment.ts';
import { isExperimentAs } from './read-definition.ts';
import { abAssignments } from './schema.ts';

/** What assignments can be filtered and ordered by. The primary key serves the order by unit. */
export const assignmentFields = defineFilterFields({
  unit: textField(abAssignments.unit),
  variantKey: textField(abVariants.key),
  epoch: numberField(abAssignments.epoch),
  forced: booleanField(abAssignments.forced),
  assignedAt: timeField(abAssignments.assignedAt),
});

const { unit, variantId, epoch, forced, assignedAt } = abAssignments;

const assignmentList = defineList({
  name: 'experiments.assignments',
  from: abAssignments,
  joins: sql`
    join ${abVariants} on ${abVariants.tenantId} = ${abAssignments.tenantId} and ${abVariants.id} = ${variantId}`,
  columns: { unit, variantId, variantKey: abVariants.key, epoch, forced, assignedAt },
  order: defineOrder({
    fields: assignmentFields,
    byDefault: [{ field: 'unit', direction: 'asc' }],
    tieBreaker: assignmentFields.fields.unit,
  }),
  toItem: ({ forced: isForced, ...row }): StoredAssignment => ({ ...row, reason: isForced ? 'forced' : 'assigned' }),
});

export const ListAssignmentsInput = z
  .strictObject({
    ...experimentSubject,
    ...PageInput.shape,
    /** Text such as `variant_key = 'short' AND NOT forced = true`, or the same as an object. Read by readFilter. */
    filter: z.custom<FilterInput<typeof assignmentFields>>().optional(),
    /** Default: by unit. */
    orderBy: z.custom<OrderInput<typeof assignmentFields>>().optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type ListAssignmentsInput = Readonly<z.input<typeof ListAssignmentsInput>>;

/**
 * The units of an experiment that are assigned, by pages. One statement, no lock. Empty where there is no such experiment.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listAssignments(tx: TenantTx, input: ListAssignmentsInput): Promise<Page<StoredAssignment>> {
  const { key, experimentId, ...wanted } = parseInput(ListAssignmentsInput, input);
  const found = sql`select e.id from ${abExperiments} e where ${isExperimentAs(tx, { key, experimentId }, sql`e`)}`;
  const condition = sql`${abAssignments.experimentId} = (${found})`;
  return await readPage(tx, assignmentList, {
    ...wanted,
    within: { condition, of: [key ?? null, experimentId ?? null] },
  });
}
