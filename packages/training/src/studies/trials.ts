import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  type List,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { trialNotFound } from '../not-found.ts';
import { hyperparameterStudies, hyperparameterTrials, hyperparameterTrialValues, trialStatuses } from '../schema.ts';
import { studyIdInput, trialIdInput } from './study-inputs.ts';

const { fencingToken: _, ...columns } = getTableColumns(hyperparameterTrials);

/** The columns of hyperparameter_trials that functions give: all but the token, which is its worker's. */
export const trialColumns = columns;

/** A trial: `params` are null for as long as its sampler thinks, `values` until it is complete. */
export type Trial = Readonly<Omit<typeof hyperparameterTrials.$inferSelect, 'fencingToken'>>;

export const GetTrialInput = z
  .strictObject({
    trialId: trialIdInput.optional(),
    studyId: studyIdInput.optional(),
    number: z.int().min(0).optional(),
  })
  .refine(
    (given) =>
      given.trialId === undefined
        ? given.studyId !== undefined && given.number !== undefined
        : given.studyId === undefined && given.number === undefined,
    { error: 'must name the trial by either trialId, or studyId and number' },
  );
export type GetTrialInput = Readonly<z.input<typeof GetTrialInput>>;

/** As findTrial. @throws DomainError `not_found` where it gives undefined. */
export async function getTrial(tx: TenantTx, input: GetTrialInput): Promise<Trial> {
  const trial = await findTrial(tx, input);
  if (trial === undefined) throw trialNotFound();
  return trial;
}

/** The trial, or undefined where it is not there or its study is deleted. One statement, no lock. */
export async function findTrial(tx: TenantTx, input: GetTrialInput): Promise<Trial | undefined> {
  const given = parseInput(GetTrialInput, input);
  const [trial] = await tx
    .select(columns)
    .from(hyperparameterTrials)
    .where(
      and(
        eq(hyperparameterTrials.tenantId, tenantOf(tx)),
        given.trialId === undefined
          ? and(
              eq(hyperparameterTrials.studyId, given.studyId as Id<'Study'>),
              eq(hyperparameterTrials.number, given.number ?? 0),
            )
          : eq(hyperparameterTrials.id, given.trialId as Id<'Trial'>),
        ofLiveStudy(tx),
      ),
    );
  return trial;
}

/** The condition that a trial's study is not deleted. */
export const ofLiveStudy = (tx: TenantTx): SQL => sql`exists (
  select from ${hyperparameterStudies} s
   where s.tenant_id = ${tenantOf(tx)} and s.id = ${hyperparameterTrials.studyId} and s.deleted_at is null)`;

/** What trials can be searched and ordered by. `value` is the first objective's. An index serves the order by number. */
export const trialFields = defineFilterFields({
  number: numberField(hyperparameterTrials.number),
  status: enumField(hyperparameterTrials.status, trialStatuses),
  value: numberField(sql`${hyperparameterTrials.values}[1]`),
  attempt: numberField(hyperparameterTrials.attempt),
  runId: uuidField(hyperparameterTrials.runId),
  startedAt: timeField(hyperparameterTrials.startedAt),
  endedAt: timeField(hyperparameterTrials.endedAt),
});
/** For readPage, with the condition of a study. */
export const trialList: List<typeof trialFields, Trial> = defineList({
  name: 'training.trials',
  from: hyperparameterTrials,
  columns,
  order: defineOrder({
    fields: trialFields,
    byDefault: [{ field: 'number' }],
    tieBreaker: trialFields.fields.number,
  }),
});

export const ListTrialsInput = z.strictObject({
  ...PageInput.shape,
  studyId: studyIdInput,
  /** Text such as `status IN ('complete', 'pruned') AND value < 0.1`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof trialFields>>().optional(),
  /** Default: by number. */
  orderBy: z.custom<OrderInput<typeof trialFields>>().optional(),
});
export type ListTrialsInput = Readonly<z.input<typeof ListTrialsInput>>;

/**
 * The trials of a study by pages; empty where there is no such study. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listTrials(tx: TenantTx, input: ListTrialsInput): Promise<Page<Trial>> {
  const { studyId: id, ...wanted } = parseInput(ListTrialsInput, input);
  const condition = and(eq(hyperparameterTrials.studyId, id as Id<'Study'>), ofLiveStudy(tx));
  return await readPage(tx, trialList, { ...wanted, within: { condition, of: [id] } });
}

export const CountTrialsInput = z.strictObject({ studyId: studyIdInput });
export type CountTrialsInput = Readonly<z.input<typeof CountTrialsInput>>;

/** How many trials of a study have each status. Reads all of them from an index; one statement, no lock. */
export async function countTrials(
  tx: TenantTx,
  input: CountTrialsInput,
): Promise<Readonly<Record<Trial['status'], number>>> {
  const given = parseInput(CountTrialsInput, input);
  const rows = await tx
    .select({ status: hyperparameterTrials.status, count: sql`count(*)`.mapWith(Number) })
    .from(hyperparameterTrials)
    .where(
      and(
        eq(hyperparameterTrials.tenantId, tenantOf(tx)),
        eq(hyperparameterTrials.studyId, given.studyId as Id<'Study'>),
        ofLiveStudy(tx),
      ),
    )
    .groupBy(hyperparameterTrials.status);
  const none = { waiting: 0, running: 0, complete: 0, pruned: 0, failed: 0, stale: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}

/** A value that a trial reported. */
export interface TrialValue {
  readonly attempt: number;
  readonly step: number;
  readonly value: number;
  /** Whether the pruner said to stop here. */
  readonly shouldPrune: boolean;
  readonly at: Date;
}

export const ListTrialValuesInput = z.strictObject({
  ...PageInput.shape,
  trialId: trialIdInput,
  /** Those of this attempt only. */
  attempt: z.int().min(1).optional(),
});
export type ListTrialValuesInput = Readonly<z.input<typeof ListTrialValuesInput>>;

const valueFields = defineFilterFields({
  attempt: numberField(hyperparameterTrialValues.attempt),
  step: numberField(hyperparameterTrialValues.step),
});
const { attempt, step, value, shouldPrune, at } = hyperparameterTrialValues;
const valueList = defineList({
  name: 'training.trialValues',
  from: hyperparameterTrialValues,
  columns: { attempt, step, value, shouldPrune, at },
  order: defineOrder({
    fields: valueFields,
    byDefault: [{ field: 'attempt' }, { field: 'step' }],
    tieBreaker: [valueFields.fields.attempt, valueFields.fields.step],
  }),
});

/** What a trial reported, by attempt and step, by pages; empty where there is no such trial. One statement, no lock. */
export async function listTrialValues(tx: TenantTx, input: ListTrialValuesInput): Promise<Page<TrialValue>> {
  const { trialId: id, attempt: wanted, ...rest } = parseInput(ListTrialValuesInput, input);
  const condition = and(
    eq(hyperparameterTrialValues.trialId, id as Id<'Trial'>),
    wanted === undefined ? undefined : eq(attempt, wanted),
    sql`exists (select from ${hyperparameterStudies} s
                 where s.tenant_id = ${tenantOf(tx)} and s.id = ${hyperparameterTrialValues.studyId}
                   and s.deleted_at is null)`,
  );
  return await readPage(tx, valueList, { ...rest, within: { condition, of: [id, wanted ?? null] } });
}
