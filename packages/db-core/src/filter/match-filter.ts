import { DomainError } from '../errors.ts';
import type { FilterFields, MapField, ScalarField } from './filter-fields.ts';
import type { CheckedFilter, FilterComparison, FilterNode, FilterValue } from './filter-node.ts';
import { isStorable } from './filter-value.ts';
import { isLike } from './like-pattern.ts';
import { resolveField } from './resolve-field.ts';
import { canonicalTime } from './time-text.ts';

/** What a field holds: text, enum word, uuid and boolean as they are, a time as a Date or as ISO 8601; null is missing. */
export type MatchedValue = string | number | bigint | boolean | Date | null | undefined;

/** By the names that the fields are declared with; of a map its values by their keys. */
export type MatchedValues = Readonly<Record<string, MatchedValue | Readonly<Record<string, MatchedValue>>>>;

/**
 * Whether values fulfil a filter: what the condition that compileFilter makes says of a row that holds them, unknown as null.
 * Pure, and for what is no row: the attributes of a request.
 *
 * One thing depends on the database: ILIKE takes both sides in lower case by its locale. Here it is Unicode's way, which
 * databases of the ICU provider have; one of libc or `C.UTF-8` differs in İ and in Σ at the end of a word, and one of the
 * locale C knows A to Z alone. Equality and LIKE compare code points in all of them, without normalisation.
 *
 * @throws DomainError `invalid_input`, naming the field, for a value of another kind and for text that no row can hold.
 */
export function matchesFilter(fields: FilterFields, filter: CheckedFilter, values: MatchedValues): boolean | null {
  return matches(fields, filter, values);
}

function matches(fields: FilterFields, node: FilterNode, values: MatchedValues): boolean | null {
  if ('and' in node) return join(fields, node.and, values, false);
  if ('or' in node) return join(fields, node.or, values, true);
  if ('not' in node) {
    const inner = matches(fields, node.not, values);
    return inner === null ? null : !inner;
  }
  const found = resolveField(fields, node.field, node.key);
  // The filter was checked against other fields: a mistake of the calling package.
  if ('problem' in found) throw new TypeError('A filter is matched against the fields that it was read with');
  const value = Object.hasOwn(values, node.field) ? values[node.field] : undefined;
  if (found.field.kind === 'map') return matchesMap(found.field, found.key ?? '', node, value);
  return compare(found.field, node, readValue(found.field, node.field, value));
}

/** False decides an `and`, true an `or`; else an unknown part leaves the whole unknown. */
function join(
  fields: FilterFields,
  parts: readonly FilterNode[],
  values: MatchedValues,
  decisive: boolean,
): boolean | null {
  let isUnknown = false;
  for (const part of parts) {
    const one = matches(fields, part, values);
    if (one === decisive) return decisive;
    if (one === null) isUnknown = true;
  }
  return isUnknown ? null : !decisive;
}

/** As EXISTS, a map is never unknown. */
function matchesMap(field: MapField, key: string, node: FilterComparison, map: MatchedValues[string]): boolean {
  if (map !== undefined && map !== null && !isRecord(map)) throw wrongKind(node.field, 'a record of values by key');
  const given = isRecord(map) && Object.hasOwn(map, key) ? map[key] : undefined;
  const value = readValue(field.value, node.field, given);
  if (node.op === 'is null') return value === null;
  return value !== null && compare(field.value, node, value) === true;
}

const isRecord = (value: MatchedValues[string]): value is Readonly<Record<string, MatchedValue>> =>
  typeof value === 'object' && value !== null && !(value instanceof Date);

type Comparable = string | number | bigint | boolean;

/** A value in the form in which the filter has its own. */
function readValue(field: ScalarField, name: string, value: MatchedValues[string]): Comparable | null {
  if (value === undefined || value === null) return null;
  switch (field.kind) {
    case 'number':
      if (typeof value === 'number') return field.cast === 'real' ? Math.fround(value) : value;
      if (typeof value === 'bigint') return value;
      throw wrongKind(name, 'a number');
    case 'boolean':
      if (typeof value === 'boolean') return value;
      throw wrongKind(name, 'a boolean');
    case 'time': {
      const time = typeof value === 'string' || value instanceof Date ? canonicalTime(value) : undefined;
      if (time === undefined) throw wrongKind(name, 'a time: a Date, or ISO 8601 with Z or an offset');
      return withMicros(time);
    }
    default:
      if (typeof value !== 'string') throw wrongKind(name, 'a string');
      if (!isStorable(value)) throw wrongKind(name, 'text without U+0000 and without half surrogate pairs');
      return field.kind === 'uuid' ? value.toLowerCase() : value;
  }
}

// Canonical times have three digits of a second or six: only of one length do they sort as they follow each other.
const withMicros = (time: string) => (time.length === 24 ? `${time.slice(0, 23)}000Z` : time);

function wrongKind(name: string, expected: string): DomainError {
  return new DomainError('invalid_input', `The value of ${name} must be ${expected}.`, { details: { field: name } });
}

function compare(field: ScalarField, { op, value }: FilterComparison, left: Comparable | null): boolean | null {
  if (op === 'is null') return left === null;
  if (op === 'is not null') return left !== null;
  if (value === undefined) throw new TypeError(`A filter with ${op} has a value`);
  const wanted = typeof value === 'object' ? value : [value];
  if (op === '=' || op === '!=' || op === 'in' || op === 'not in') {
    const isWanted = op === '=' || op === 'in';
    // Matched as written, an id that is not in lower case is no row's. Where none is left the list is empty, of which
    // PostgreSQL says false for IN and true for NOT IN, also of NULL.
    const known = field.kind === 'uuid' ? wanted.filter((id) => id === String(id).toLowerCase()) : wanted;
    if (known.length === 0) return !isWanted;
    return left === null ? null : known.some((one) => isSame(left, inForm(field, one))) === isWanted;
  }
  if (left === null) return null;
  const [first] = wanted;
  if (first === undefined || typeof value === 'object') throw new TypeError(`A filter with ${op} has one value`);
  const right = inForm(field, first);
  switch (op) {
    case 'like':
    case 'not like':
      return isLike(String(left), String(right)) === (op === 'like');
    case 'ilike':
    case 'not ilike':
      // The server too takes the whole texts in lower case, and then compares.
      return isLike(String(left).toLowerCase(), String(right).toLowerCase()) === (op === 'ilike');
    // NaN is neither less nor greater than anything, as compileFilter has it.
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function inForm(field: ScalarField, value: FilterValue): FilterValue {
  if (field.kind === 'time') return withMicros(String(value));
  return field.kind === 'number' && field.cast === 'real' ? Math.fround(Number(value)) : value;
}

function isSame(left: Comparable, right: FilterValue): boolean {
  if (Number.isNaN(left) && Number.isNaN(right)) return true;
  return typeof left === 'bigint' && typeof right === 'number'
    ? !(left < right || left > right) && !Number.isNaN(right)
    : left === right;
}
