import {
  booleanField,
  DomainError,
  defineFilterFields,
  type FilterFields,
  type FilterNode,
  keepsEachKey,
  numberField,
  readFilter,
  textField,
  timeField,
} from '@mcp-hub/db-core';
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';

export const attributeKinds = ['text', 'number', 'boolean', 'time'] as const;
export type AttributeKind = (typeof attributeKinds)[number];

/** Which units an experiment asks: those whose attributes the filter lets pass. */
export interface Targeting {
  /** The attributes that the filter may name, and what each is. */
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** Checked against the attributes. */
  readonly filter: FilterNode;
}

const attributeName = z
  .string()
  .max(EXPERIMENT_LIMITS.attributeLength)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

/** A filter as text (`country in ('DE', 'AT') and age >= 18`) or as an object, with what its attributes are. */
export const TargetingInput = z.strictObject({
  attributes: keepsEachKey<Record<string, AttributeKind>>()
    .pipe(z.record(attributeName, z.enum(attributeKinds)))
    .refine(
      (attributes) => Object.keys(attributes).length <= EXPERIMENT_LIMITS.targetingAttributes,
      `must declare at most ${EXPERIMENT_LIMITS.targetingAttributes} attributes`,
    ),
  filter: z.union([z.string(), z.custom<FilterNode>((value) => typeof value === 'object' && value !== null)]),
});
export type TargetingInput = Readonly<z.input<typeof TargetingInput>>;

/**
 * The filter's fields: each attribute as a key of a json object, by default a column `attributes`. What is of another type
 * than declared counts as missing.
 */
export function targetingFields(
  attributes: Targeting['attributes'],
  column: SQLWrapper = sql`attributes`,
): FilterFields {
  const fields = Object.entries(attributes).map(([name, kind]) => [name, fieldOf(kind, name, column)] as const);
  return defineFilterFields(Object.fromEntries(fields));
}

function fieldOf(kind: AttributeKind, name: string, column: SQLWrapper) {
  const value = sql`${column} ->> ${name}::text`;
  const ofType = (type: string, cast: SQL) =>
    sql`case when jsonb_typeof(${column} -> ${name}::text) = ${sql.raw(`'${type}'`)} then (${value})${cast} end`;
  switch (kind) {
    case 'text':
      return textField(ofType('string', sql``));
    case 'number':
      return numberField(ofType('number', sql`::float8`));
    case 'boolean':
      return booleanField(ofType('boolean', sql`::boolean`));
    case 'time':
      return timeField(sql`case when jsonb_typeof(${column} -> ${name}::text) = 'string' then ${timeOf(value)} end`);
  }
}

/**
 * A text as the time that matchesFilter takes it for. Cast as it is, `tomorrow` and `infinity` would be times here and
 * refused there, and a day would begin by the session's time zone; what is none fails in the cast.
 */
function timeOf(value: SQL): SQL {
  const [day, time] = ['^[0-9]{4}-[0-9]{2}-[0-9]{2}', '[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?'];
  const zone = '([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)';
  return sql`(case when ${value} ~ ${`${day}$`}::text then ${value} || 'T00:00Z'
                   when ${value} ~ ${`${day}[Tt ]${time}${zone}$`}::text then ${value} else 'no time' end)::timestamptz`;
}

/**
 * Reads the filter of a targeting against its attributes.
 *
 * @throws DomainError `invalid_input` with the place of what is wrong.
 */
export function readTargeting({ attributes, filter }: z.output<typeof TargetingInput>): Targeting {
  return { attributes, filter: readFilter(declared(attributes), filter as string) };
}

function declared(attributes: Targeting['attributes']): FilterFields {
  try {
    return targetingFields(attributes);
  } catch (error) {
    // Two attributes that the filter's text would not tell apart, such as signupAt and signup_at.
    if (!(error instanceof TypeError)) throw error;
    throw new DomainError('invalid_input', 'targeting.attributes declares a name twice, or one that filters reserve.', {
      details: { field: 'targeting.attributes' },
    });
  }
}
