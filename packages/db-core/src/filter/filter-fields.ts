import { Column, is, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

interface ScalarBase {
  readonly expression: SQLWrapper;
  /** Whether the expression may be NULL; known of a column, assumed of any other expression. */
  readonly nullable: boolean;
  readonly aliases: readonly string[];
}

/** Text: `=`, `!=`, LIKE, ILIKE, their NOT forms, IN, NOT IN, IS NULL, IS NOT NULL. */
export interface TextField extends ScalarBase {
  readonly kind: 'text';
  readonly start?: TextStart;
}
/** A generated column with the first `length` characters of a text that is too long for an index. */
export interface TextStart {
  readonly column: PgColumn;
  readonly length: number;
}
/** One of a fixed list of words, in text written in any case. */
export interface EnumField<Value extends string = string> extends ScalarBase {
  readonly kind: 'enum';
  readonly values: readonly Value[];
}
/** A number: also `<`, `<=`, `>`, `>=`. `cast` is the type that values are bound as. */
export interface NumberField extends ScalarBase {
  readonly kind: 'number';
  readonly cast: 'float8' | 'real' | 'numeric' | 'bigint';
}
/** A timestamptz: also `<`, `<=`, `>`, `>=`. */
export interface TimeField extends ScalarBase {
  readonly kind: 'time';
}
/** A uuid, in text in any case unless it is matched as written: then only lower case is the stored id. */
export interface UuidField extends ScalarBase {
  readonly kind: 'uuid';
  readonly asWritten?: true;
}
/** true or false. */
export interface BooleanField extends ScalarBase {
  readonly kind: 'boolean';
}

export type ScalarField = TextField | EnumField | NumberField | TimeField | UuidField | BooleanField;

/** Key and value pairs in rows of a child table, written `tags.<key>`. */
export interface MapField<Value extends ScalarField = ScalarField> {
  readonly kind: 'map';
  readonly key: SQLWrapper;
  readonly value: Value;
  readonly aliases: readonly string[];
  /** EXISTS over the child rows of the outer row for which `match` holds; joins on (tenant_id, id). */
  readonly exists: (match: SQL) => SQL;
  /** The value of the one child row for which `match` holds, NULL without one; without it no order by this field. */
  readonly scalar: ((value: SQLWrapper, match: SQL) => SQL) | undefined;
  /** Where the child rows are, for an order that is read from an index on their values. */
  readonly rows: ChildTable | undefined;
}

/** A table whose rows belong to outer rows by pairs of columns, the tenant's first. */
export interface ChildTable {
  readonly table: PgTable;
  readonly pairs: readonly (readonly [child: PgColumn, parent: PgColumn])[];
}

export type FilterField = ScalarField | MapField;

/** What a package lets its callers filter and order by; made by `defineFilterFields`. */
export interface FilterFields<
  Fields extends Readonly<Record<string, FilterField>> = Readonly<Record<string, FilterField>>,
> {
  readonly fields: Fields;
  /** Every accepted spelling in text (`created_at`, `createdAt`, aliases) to the declared name. */
  readonly names: ReadonlyMap<string, string>;
}

interface FieldOptions {
  /** Other names that the text form accepts for this field. */
  readonly aliases?: readonly string[];
}

function scalar(expression: SQLWrapper, options: FieldOptions | undefined): ScalarBase {
  return {
    expression,
    nullable: is(expression, Column) ? !expression.notNull : true,
    aliases: options?.aliases ?? [],
  };
}

/** With `start`, `=` and IN are asked of that column. */
export function textField(expression: SQLWrapper, options?: FieldOptions & { readonly start?: TextStart }): TextField {
  const start = options?.start;
  return { kind: 'text', ...scalar(expression, options), ...(start === undefined ? {} : { start }) };
}

/** `values` are matched without regard to case in text and stored forms are taken as declared. */
export function enumField<const Value extends string>(
  expression: SQLWrapper,
  values: readonly Value[],
  options?: FieldOptions,
): EnumField<Value> {
  return { kind: 'enum', values, ...scalar(expression, options) };
}

/** A column of any numeric type; another expression is taken as float8 unless `cast` says otherwise. */
export function numberField(
  expression: SQLWrapper,
  options?: FieldOptions & { readonly cast?: NumberField['cast'] },
): NumberField {
  return { kind: 'number', cast: options?.cast ?? numberCast(expression), ...scalar(expression, options) };
}

/** A timestamptz column; a timestamp without zone is refused, for its meaning would depend on the session. */
export function timeField(expression: SQLWrapper, options?: FieldOptions): TimeField {
  if (is(expression, Column) && !expression.getSQLType().endsWith('with time zone')) {
    throw new TypeError(`timeField needs a timestamptz column; ${expression.name} is ${expression.getSQLType()}`);
  }
  return { kind: 'time', ...scalar(expression, options) };
}

/** With `asWritten` an id in upper case is none that a row has, as in stores whose ids are text. */
export function uuidField(expression: SQLWrapper, options?: FieldOptions & { readonly asWritten?: true }): UuidField {
  const { asWritten } = options ?? {};
  return { kind: 'uuid', ...scalar(expression, options), ...(asWritten === undefined ? {} : { asWritten }) };
}

export function booleanField(expression: SQLWrapper, options?: FieldOptions): BooleanField {
  return { kind: 'boolean', ...scalar(expression, options) };
}

/**
 * Keys and values that live in a child table, one row a key.
 *
 * `tags.k != 'v'` is EXISTS too and so skips rows without the key, as MLflow's does; `NOT tags.k = 'v'` includes them,
 * and `tags.k IS NULL` finds the rows without the key.
 */
export function mapField<Value extends ScalarField>(
  options: FieldOptions & {
    readonly key: SQLWrapper;
    readonly value: Value;
    readonly exists: MapField['exists'];
    readonly scalar?: MapField['scalar'];
    readonly rows?: ChildTable;
  },
): MapField<Value> {
  return {
    kind: 'map',
    key: options.key,
    value: options.value,
    aliases: options.aliases ?? [],
    exists: options.exists,
    scalar: options.scalar,
    rows: options.rows,
  };
}

/**
 * The two subqueries of a `mapField` over `table`, whose rows belong to the outer row by `pairs` of (child, parent)
 * columns. Name the tenant among the pairs, first.
 *
 * Rows ordered by a column of the table come from an index on (tenant_id, key, column, pairs…) if there is one.
 */
export function childRows(
  table: PgTable,
  pairs: ChildTable['pairs'],
): {
  readonly exists: MapField['exists'];
  readonly scalar: NonNullable<MapField['scalar']>;
  readonly rows: ChildTable;
} {
  const joined = sql.join(
    pairs.map(([child, parent]) => sql`${child} = ${parent}`),
    sql` and `,
  );
  return {
    exists: (match) => sql`exists (select 1 from ${table} where ${joined} and ${match})`,
    scalar: (value, match) => sql`(select ${value} from ${table} where ${joined} and ${match})`,
    rows: { table, pairs },
  };
}

const ATTRIBUTE_PREFIXES = ['attributes', 'attribute', 'attr'];

/**
 * Declares once what a package can be searched by. A field `createdAt` is written `created_at` or `createdAt` in text.
 * Throws when two fields could be meant by one name.
 */
export function defineFilterFields<const Fields extends Readonly<Record<string, FilterField>>>(
  fields: Fields,
): FilterFields<Fields> {
  const names = new Map<string, string>();
  for (const [name, field] of Object.entries(fields)) {
    for (const spelling of new Set([textName(name), name, ...field.aliases])) {
      if (names.has(spelling) || ATTRIBUTE_PREFIXES.includes(spelling)) {
        throw new TypeError(`The filter name ${spelling} is declared twice or reserved`);
      }
      names.set(spelling, name);
    }
  }
  return { fields, names };
}

export function isAttributePrefix(word: string): boolean {
  return ATTRIBUTE_PREFIXES.includes(word);
}

/** The names that an error may offer: how each field is written in text. */
export function allowedNames(fields: FilterFields): readonly string[] {
  return Object.entries(fields.fields).map(([name, field]) =>
    field.kind === 'map' ? `${textName(name)}.<key>` : textName(name),
  );
}

/** How a declared field name is written in text: `createdAt` as `created_at`. */
export function textName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function numberCast(expression: SQLWrapper): NumberField['cast'] {
  if (!is(expression, Column)) return 'float8';
  const type = expression.getSQLType();
  if (/^(?:smallint|integer|bigint|smallserial|serial|bigserial)$/.test(type)) return 'bigint';
  if (type.startsWith('numeric')) return 'numeric';
  return type === 'real' ? 'real' : 'float8';
}
