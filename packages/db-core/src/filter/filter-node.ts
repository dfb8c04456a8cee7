import type {
  BooleanField,
  EnumField,
  FilterField,
  FilterFields,
  MapField,
  NumberField,
  ScalarField,
  TextField,
  TimeField,
} from './filter-fields.ts';

export const EQUALITY_OPERATORS = ['=', '!='] as const;
export const ORDER_OPERATORS = ['<', '<=', '>', '>='] as const;
export const PATTERN_OPERATORS = ['like', 'ilike', 'not like', 'not ilike'] as const;
export const LIST_OPERATORS = ['in', 'not in'] as const;
export const NULL_OPERATORS = ['is null', 'is not null'] as const;

type EqualityOperator = (typeof EQUALITY_OPERATORS)[number];
type OrderOperator = (typeof ORDER_OPERATORS)[number];
type PatternOperator = (typeof PATTERN_OPERATORS)[number];
type ListOperator = (typeof LIST_OPERATORS)[number];
type NullOperator = (typeof NULL_OPERATORS)[number];
export type FilterOperator = EqualityOperator | OrderOperator | PatternOperator | ListOperator | NullOperator;

/** A value in its checked form: a time is ISO 8601 in UTC, a uuid is lower-case, an enum word as declared. */
export type FilterValue = string | number | boolean;

/** One comparison of the syntax tree; `key` is there for a map field and only there. */
export interface FilterComparison {
  readonly field: string;
  readonly key?: string;
  readonly op: FilterOperator;
  readonly value?: FilterValue | readonly FilterValue[];
}

/**
 * The syntax tree that text and object form both become.
 *
 * Its form is canonical: `and` and `or` have two parts or more and hold no part of their own kind, so that equal filters
 * written differently are one filter to a cursor. `{ and: [] }` at the top is the filter that lets everything pass.
 */
export type FilterNode =
  | { readonly and: readonly FilterNode[] }
  | { readonly or: readonly FilterNode[] }
  | { readonly not: FilterNode }
  | FilterComparison;

declare const checked: unique symbol;
/** A filter that was read against the declared fields; only `readFilter` and `parseFilter` make one. */
export type CheckedFilter = FilterNode & { readonly [checked]: true };

/** What a caller may give as the value of a field of this kind. */
type FilterInputValue<Field extends ScalarField> =
  Field extends EnumField<infer Value>
    ? Value
    : Field extends NumberField
      ? number
      : Field extends TimeField
        ? Date | string
        : Field extends BooleanField
          ? boolean
          : string;

type ValueComparison<Field extends ScalarField> =
  | { readonly op: EqualityOperator; readonly value: FilterInputValue<Field> }
  | { readonly op: ListOperator; readonly value: readonly FilterInputValue<Field>[] }
  | { readonly op: NullOperator }
  | (Field extends NumberField | TimeField
      ? { readonly op: OrderOperator; readonly value: FilterInputValue<Field> }
      : never)
  | (Field extends TextField ? { readonly op: PatternOperator; readonly value: string } : never);

type FieldComparison<Name, Field extends FilterField> =
  Field extends MapField<infer Value>
    ? { readonly field: Name; readonly key: string } & ValueComparison<Value>
    : Field extends ScalarField
      ? { readonly field: Name } & ValueComparison<Field>
      : never;

type Comparisons<Fields extends Readonly<Record<string, FilterField>>> = {
  readonly [Name in keyof Fields]: FieldComparison<Name, Fields[Name]>;
}[keyof Fields];

/**
 * A filter as an object, typed by the fields that a package declares:
 * `{ and: [{ field: 'name', op: 'like', value: 'churn%' }, { field: 'tags', key: 'owner', op: '!=', value: 'b' }] }`.
 */
export type Filter<Fields extends FilterFields> =
  | { readonly and: readonly Filter<Fields>[] }
  | { readonly or: readonly Filter<Fields>[] }
  | { readonly not: Filter<Fields> }
  | Comparisons<Fields['fields']>;

/** What search functions take: a filter as text or as an object. */
export type FilterInput<Fields extends FilterFields> = string | Filter<Fields>;
