import { DomainError, float8Array, jsonParameter, parseInput, type TenantTx, textArray } from '@mcp-hub/db-core';
import { and, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { errorText, jsonObject } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { anyNumber } from './study-inputs.ts';
import { heldBy, readRefused, TrialLease, withItsStudy } from './trial-lease.ts';
import { type Trial, trialColumns } from './trials.ts';

/** One number an objective, in their order or by their names; a single number where there is one objective. */
const TrialValues = z.union([
  anyNumber,
  z.array(anyNumber).min(1).max(TRAINING_LIMITS.objectives).readonly(),
  z.record(z.string(), anyNumber).readonly(),
]);
export type TrialValues = z.output<typeof TrialValues>;

export const TellTrialInput = z
  .strictObject({
    lease: TrialLease,
    /** What the objectives came to. With NaN among them the trial has failed. */
    values: TrialValues.optional(),
    /** In place of values: how else the trial ended. */
    state: z.enum(['pruned', 'failed']).optional(),
    /** Of a failed trial: why. */
    error: errorText.optional(),
    /** Put to what the trial has; a key that it has is overwritten. */
    metadata: jsonObject.optional(),
  })
  .refine((given) => (given.values === undefined) !== (given.state === undefined), {
    error: 'must have either values or a state',
  })
  .refine((given) => given.error === undefined || given.state === 'failed', {
    path: ['error'],
    error: 'may be given only with state: failed',
  });
export type TellTrialInput = Readonly<z.input<typeof TellTrialInput>>;

const NOT_A_NUMBER = 'The objective gave NaN.';

/**
 * Ends a trial with the values of its objectives, as pruned, or as failed, and gives it as it is then. A failed trial
 * that has attempts left goes back to those that wait, with the same parameters. Told again in the same way under the
 * same lease, it stays as it is.
 *
 * One round trip; the trial's row. Writes neither history nor outbox: trials are recorded in bulk.
 *
 * @throws DomainError `conflict` where the lease was lost (isLeaseLost) or the trial was told otherwise; `invalid_input`
 *   for values that are not one an objective; `not_found`; `failed_precondition` where the study is deleted.
 */
export async function tellTrial(tx: TenantTx, input: TellTrialInput): Promise<Trial> {
  const given = parseInput(TellTrialInput, input);
  const values = given.values === undefined ? undefined : readValues(given.values);
  const failed = given.state === 'failed' || values?.numbers.some(Number.isNaN) === true;
  const error = failed ? (given.error ?? (given.state === 'failed' ? null : NOT_A_NUMBER)) : null;
  const retried = sql`${hyperparameterTrials.attempt} < ${hyperparameterStudies.maxAttempts}`;
  const [told] = await tx
    .update(hyperparameterTrials)
    .set({
      status: failed ? sql`case when ${retried} then 'waiting' else 'failed' end` : (given.state ?? 'complete'),
      values: failed || values === undefined ? null : values.inOrder,
      error,
      leasedUntil: null,
      endedAt: failed ? sql`case when ${retried} then null else app_now() end` : sql`app_now()`,
      ...(given.metadata === undefined
        ? {}
        : { metadata: sql`${hyperparameterTrials.metadata} || ${jsonParameter(given.metadata)}` }),
    })
    .from(hyperparameterStudies)
    .where(and(heldBy(tx, given.lease), withItsStudy, values?.fit))
    .returning(trialColumns);
  if (told !== undefined) return told;
  const { trial, objectives } = await readRefused(tx, given.lease);
  if (trial.status === 'running') {
    throw new DomainError(
      'invalid_input',
      'values must be one number an objective, in their order or by their names.',
      {
        details: { field: 'values', objectives: objectives.length },
      },
    );
  }
  const inOrder = failed
    ? null
    : numbersOf(
        given.values,
        objectives.map(({ name }) => name),
      );
  const state = failed ? (trial.status === 'waiting' ? 'waiting' : 'failed') : (given.state ?? 'complete');
  if (trial.status === state && sameNumbers(trial.values, inOrder)) return trial;
  throw new DomainError(
    'conflict',
    'The trial was told otherwise under this lease. What was told first stays: getTrial reads it.',
    {
      details: { reason: 'already_told' },
    },
  );
}

interface ReadValues {
  readonly numbers: readonly number[];
  /** float8[] in the order of the study's objectives, in a statement that has its row. */
  readonly inOrder: SQL;
  /** Whether there is one an objective. */
  readonly fit: SQL;
}

function readValues(values: TrialValues): ReadValues {
  const { objectives } = hyperparameterStudies;
  if (typeof values === 'number' || isArray(values)) {
    const numbers = typeof values === 'number' ? [values] : values;
    const fit = sql`jsonb_array_length(${objectives}) = ${numbers.length}`;
    return { numbers, inOrder: float8Array(numbers), fit };
  }
  const numbers = Object.values(values);
  const named = sql`
    from jsonb_array_elements(${objectives}) with ordinality as objective (it, place)
    join unnest(${textArray(Object.keys(values))}, ${float8Array(numbers)}) as told (name, value)
      on told.name = objective.it->>'name'`;
  return {
    numbers,
    inOrder: sql`(select array_agg(told.value order by objective.place) ${named})`,
    fit: sql`jsonb_array_length(${objectives}) = ${numbers.length}
         and (select count(*) ${named}) = ${numbers.length}`,
  };
}

function numbersOf(values: TrialValues | undefined, names: readonly string[]): readonly number[] | null {
  if (values === undefined) return null;
  if (typeof values === 'number') return [values];
  return isArray(values) ? values : names.map((name) => values[name] ?? Number.NaN);
}

const sameNumbers = (one: readonly number[] | null, other: readonly number[] | null) =>
  one === null || other === null
    ? one === other
    : one.length === other.length && one.every((value, place) => value === other[place]);

// Array.isArray does not narrow readonly arrays.
const isArray = (values: Exclude<TrialValues, number>): values is readonly number[] => Array.isArray(values);
