import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { textArray } from '../value/parameters.ts';
import type { FilterFields, MapField, NumberField, ScalarField } from './filter-fields.ts';
import type { CheckedFilter, FilterComparison, FilterNode, FilterValue } from './filter-node.ts';
import { resolveField } from './resolve-field.ts';

/**
 * Compiles a filter to a condition in which every value is bound.
 *
 * NULL follows SQL: a comparison with a missing attribute is unknown, so that neither it nor its NOT finds the row; ask
 * IS NULL. Maps compare by EXISTS and are never unknown: `tags.k != 'v'` needs the key, `NOT tags.k = 'v'` does not.
 * LIKE takes `%`, `_` and the backslash before either or before itself; ILIKE does so without regard to case.
 * NaN equals NaN and is neither less nor greater than any number. Lists are bound as one array.
 */
export function compileFilter(fields: FilterFields, filter: CheckedFilter): SQL {
  return compile(fields, filter);
}

function compile(fields: FilterFields, node: FilterNode): SQL {
  if ('and' in node) {
    return node.and.length === 0 ? sql`true` : join(fields, node.and, sql` and `);
  }
  if ('or' in node) return join(fields, node.or, sql` or `);
  if ('not' in node) return sql`not (${compile(fields, node.not)})`;
  const found = resolveField(fields, node.field, node.key);
  // The filter was checked against other fields than it is compiled for: a mistake of the calling package.
  if ('problem' in found) throw new TypeError('A filter is compiled against the fields that it was read with');
  if (found.field.kind === 'map') return compileMap(found.field, found.key ?? '', node);
  return compileScalar(found.field, found.field.expression, node);
}

function join(fields: FilterFields, parts: readonly FilterNode[], by: SQL): SQL {
  return sql`(${sql.join(
    parts.map((part) => compile(fields, part)),
    by,
  )})`;
}

function compileMap(field: MapField, key: string, node: FilterComparison): SQL {
  const sameKey = sql`${field.key} = ${key}::text`;
  const { expression } = field.value;
  if (node.op === 'is null') return sql`not ${field.exists(sql`${sameKey} and ${expression} is not null`)}`;
  return field.exists(sql`${sameKey} and ${compileScalar(field.value, expression, node)}`);
}

function compileScalar(field: ScalarField, left: SQLWrapper, node: FilterComparison): SQL {
  const { op, value } = node;
  if (op === 'is null') return sql`${left} is null`;
  if (op === 'is not null') return sql`${left} is not null`;
  if (value === undefined) throw new TypeError(`A filter with ${op} has a value`);
  if (field.kind === 'uuid' && [value].flat().some((id) => id !== String(id).toLowerCase())) {
    // Matched as written: what is not in lower case is no row's id.
    const ids = [value].flat().filter((id) => id === String(id).toLowerCase());
    const list = sql`${textArray(ids.map(String))}::uuid[]`;
    return op === '=' || op === 'in' ? sql`${left} = any(${list})` : sql`${left} <> all(${list})`;
  }
  if (typeof value === 'object') {
    const list = sql`${textArray(value.map(String))}::${sql.raw(castOf(field, value))}[]`;
    return op === 'in' ? byStart(field, value, sql`${left} = any(${list})`) : sql`${left} <> all(${list})`;
  }
  const right = bindScalar(field, value);
  switch (op) {
    case '=':
      return byStart(field, [value], sql`${left} = ${right}`);
    case '!=':
      return sql`${left} <> ${right}`;
    case 'like':
      return sql`${left} like ${right}`;
    case 'not like':
      return sql`${left} not like ${right}`;
    case 'ilike':
      return sql`${left} ilike ${right}`;
    case 'not ilike':
      return sql`${left} not ilike ${right}`;
    case '<':
      return sql`${left} < ${right}`;
    case '<=':
      return sql`${left} <= ${right}`;
    case '>':
      return withoutNaN(field, left, sql`${left} > ${right}`);
    case '>=':
      return withoutNaN(field, left, sql`${left} >= ${right}`);
    default:
      throw new TypeError(`A filter with ${op} has a list`);
  }
}

/**
 * Asks the indexed start of a text instead of the text. A start that is shorter than it could be is the whole text; the
 * planner would take both conditions for independent and expect too few rows.
 */
function byStart(field: ScalarField, values: readonly FilterValue[], same: SQL): SQL {
  if (field.kind !== 'text' || field.start === undefined) return same;
  const { column, length } = field.start;
  const texts = values.map(String);
  const starts = texts.map((text) => Array.from(text).slice(0, length).join(''));
  const [first, ...more] = starts;
  const begins =
    first !== undefined && more.length === 0
      ? sql`${column} = ${first}::text`
      : sql`${column} = any(${textArray(starts)})`;
  return texts.every((text) => text.length < length) ? begins : sql`(${begins} and ${same})`;
}

/** PostgreSQL sorts NaN above every number, so that `> 5` would find it; a range up to NaN can still use an index. */
function withoutNaN(field: ScalarField, left: SQLWrapper, greater: SQL): SQL {
  if (field.kind !== 'number' || field.cast === 'bigint') return greater;
  return sql`(${greater} and ${left} < 'NaN'::${sql.raw(field.cast)})`;
}

/**
 * Binds a checked value with its type. All go as text and are cast by the server: that is exact for floats, keeps
 * microseconds (postgres.js would pass a timestamp through Date) and needs no inference.
 */
function bindScalar(field: ScalarField, value: FilterValue): SQL {
  const text = String(value);
  return field.kind === 'text' || field.kind === 'enum'
    ? sql`${text}::text`
    : sql`${text}::text::${sql.raw(castOf(field, [value]))}`;
}

function castOf(field: ScalarField, values: readonly FilterValue[]): string {
  switch (field.kind) {
    case 'text':
    case 'enum':
      return 'text';
    case 'time':
      return 'timestamptz';
    case 'number':
      return numberCast(field, values);
    default:
      return field.kind;
  }
}

/** An integer column compared with 0.5 or Infinity is compared as numeric: exact, at the price of the index. */
function numberCast(field: NumberField, values: readonly FilterValue[]): string {
  return field.cast === 'bigint' && !values.every(Number.isInteger) ? 'numeric' : field.cast;
}
