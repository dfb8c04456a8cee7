import { z } from 'zod';
import { DomainError, type DomainErrorDetails } from '../errors.ts';
import { strictJson } from './strict-json.ts';
import { isStorable, isStorableJson } from './value-text.ts';

/**
 * Takes input from outside as what `schema` says.
 *
 * @throws DomainError `invalid_input` for the first thing that is wrong: the message names its path, the rule and the
 *   limit; `details` holds `field`, and `limit` and `got` where a limit is exceeded. Neither holds the value, nor a key
 *   of a record, which is a value too.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new TypeError('A failed parse names at least one issue');
  const { field, at } = follow(schema, issue.path, input);
  const { rule, details } = brokenRule(issue, at);
  throw new DomainError('invalid_input', `${field === '' ? 'The input' : field} ${rule}.`, {
    details: { field, ...details },
  });
}

const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Text of any form up to `maxLength` UTF-16 code units, which PostgreSQL gives back as it was. "" is text. */
export const textInput = (maxLength: number) =>
  z.string().max(maxLength).refine(isStorable, 'must not hold NUL characters or unpaired surrogates');

/** A name that fits on one line: not empty, no control characters, no white space at the ends. */
export const nameInput = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => !unprintable.test(text), 'must not hold control characters or line separators')
    .refine((text) => text.trim() === text, 'must not begin or end with white space');

/** Put before a record of zod's, which leaves out a key `__proto__` in silence: what was given would not be what is stored. */
export const keepsEachKey = <Given extends object>(): z.ZodType<Given, Given> =>
  z
    .any()
    .refine(
      (value: unknown) => typeof value !== 'object' || value === null || !Object.hasOwn(value, '__proto__'),
      'must not have the key __proto__, which records lose',
    );

/** A JSON object of at most `maxLength` UTF-16 code units as text, without what JSON or jsonb would lose. */
export const jsonInput = (maxLength: number) =>
  keepsEachKey<Record<string, unknown>>()
    .pipe(z.record(z.string(), z.unknown()))
    .superRefine((value, context) => {
      let text: string;
      try {
        text = strictJson(value, 'value');
      } catch {
        context.addIssue('must be JSON: null, booleans, finite numbers, strings, arrays and plain objects, no cycles');
        return;
      }
      if (!isStorableJson(text)) context.addIssue('must not hold NUL characters or unpaired surrogates');
      else if (text.length > maxLength) {
        context.addIssue({ code: 'too_big', origin: 'string', maximum: maxLength, input: text });
      }
    });

type Issue = z.core.$ZodIssue;

function brokenRule(
  issue: Issue,
  at: z.core.$ZodType | undefined,
): { readonly rule: string; readonly details: DomainErrorDetails } {
  const known = Object.keys((at === undefined ? undefined : bare(at))?.shape ?? {}).join(', ');
  switch (issue.code) {
    case 'too_big':
    case 'too_small': {
      const big = issue.code === 'too_big';
      const limit = Number(big ? issue.maximum : issue.minimum);
      const got = sizeOf(issue.origin, issue.input);
      const bound = issue.inclusive === false ? (big ? 'less than' : 'more than') : big ? 'at most' : 'at least';
      const unit = units[issue.origin];
      const rule = unit === undefined ? `must be ${bound} ${limit}` : `must have ${bound} ${limit} ${unit}`;
      return {
        rule: got === undefined ? rule : `${rule}, not ${got}`,
        details: got === undefined ? { limit } : { limit, got },
      };
    }
    case 'invalid_type':
      if (issue.input === undefined) return { rule: 'is missing', details: {} };
      return {
        rule: `must be of type ${issue.expected}${known && `, with the fields ${known}`}`,
        details: {},
      };
    case 'invalid_value':
      return { rule: `must be one of: ${issue.values.map(String).join(', ')}`, details: {} };
    case 'invalid_format':
      return { rule: `must be a valid ${issue.format}`, details: {} };
    case 'not_multiple_of':
      return { rule: `must be a multiple of ${issue.divisor}`, details: {} };
    case 'unrecognized_keys':
      return { rule: `holds a field that is not known here${known && `; known are ${known}`}`, details: {} };
    case 'invalid_union':
      // Of a discriminated union no form fits: zod names those there are.
      if ('options' in issue && Array.isArray(issue.options)) {
        return { rule: `must be one of: ${issue.options.map(String).join(', ')}`, details: {} };
      }
      return { rule: unionRule(issue.message), details: {} };
    case 'custom':
      return { rule: issue.message, details: {} };
    default:
      return { rule: unionRule(issue.message), details: {} };
  }
}

/** What a union was given as its error says more than zod's own text. */
const unionRule = (message: string) =>
  message === 'Invalid input' ? 'has none of the forms that are accepted' : message;

const units: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'items',
  set: 'items',
  map: 'items',
  file: 'bytes',
};

/** Of lengths only: a number that is out of range is itself the value. */
function sizeOf(origin: string, input: unknown): number | undefined {
  if (origin === 'string' && typeof input === 'string') return input.length;
  return Array.isArray(input) ? input.length : undefined;
}

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly values?: readonly unknown[];
  readonly options?: readonly z.core.$ZodType[];
  readonly discriminator?: string;
}

/** `tags[].key` and not `tags["…"]`: only names that the schema declares are told. With the schema that stands there. */
function follow(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
  input: unknown,
): { readonly field: string; readonly at: z.core.$ZodType | undefined } {
  let text = '';
  let at = formOf(schema, input);
  let value = input;
  for (const step of path) {
    const definition: Definition | undefined = at === undefined ? undefined : bare(at);
    // Where no form of a union fits, what tells them apart is in the first of them as in all.
    const shape = definition?.shape ?? (step === definition?.discriminator ? shapeOfFirst(definition) : undefined);
    const declared: z.core.$ZodType | undefined =
      typeof step === 'string' && shape !== undefined && Object.hasOwn(shape, step) ? shape[step] : undefined;
    if (declared !== undefined) text += text === '' ? String(step) : `.${String(step)}`;
    else text += typeof step === 'number' ? `[${step}]` : '[…]';
    value = valueAt(value, step);
    at = formOf(declared ?? definition?.element ?? definition?.valueType, value);
  }
  return { field: text, at };
}

/** The form of a discriminated union that `value` says it has; the union itself where it says none. */
function formOf(schema: z.core.$ZodType | undefined, value: unknown): z.core.$ZodType | undefined {
  if (schema === undefined) return undefined;
  const { options = [], discriminator } = bare(schema);
  if (discriminator === undefined) return schema;
  const kind = valueAt(value, discriminator);
  return options.find((option) => bareAt(option, discriminator)?.values?.includes(kind)) ?? schema;
}

const shapeOfFirst = ({ options: [first] = [] }: Definition) => (first === undefined ? undefined : bare(first).shape);

function bareAt(schema: z.core.$ZodType, key: string): Definition | undefined {
  const field = bare(schema).shape?.[key];
  return field === undefined ? undefined : bare(field);
}

function valueAt(value: unknown, step: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
}

/** The definition behind optional, nullable, default and pipe. */
function bare(schema: z.core.$ZodType): Definition {
  const definition = schema._zod.def as unknown as Definition;
  const inner = definition.innerType ?? definition.in;
  return inner === undefined ? definition : bare(inner);
}
