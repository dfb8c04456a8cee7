import { FILTER_LIMITS } from '../limits.ts';
import { filterError } from './filter-error.ts';
import type { FilterFields } from './filter-fields.ts';
import type { CheckedFilter, FilterComparison, FilterNode, FilterOperator, FilterValue } from './filter-node.ts';
import { allowedOperators, checkValue, type ValueProblem } from './filter-value.ts';
import { joinNodes } from './join-nodes.ts';
import { resolveField } from './resolve-field.ts';

/**
 * Checks a filter in object form, which may come from outside (a JSON body), against the declared fields.
 *
 * Written by hand, for a recursive schema would follow a hostile nesting to the end of the stack before it refuses it.
 *
 * @throws DomainError `invalid_input` with the `path` of the wrong part and what was `expected` there; never its value.
 */
export function checkFilter(fields: FilterFields, input: unknown): CheckedFilter {
  let comparisons = 0;

  function check(part: unknown, path: string, depth: number): FilterNode {
    if (depth > FILTER_LIMITS.depth + 1) {
      const limit = FILTER_LIMITS.depth;
      return fail(path, { problem: `it nests deeper than ${limit} levels`, expected: [], details: { limit } });
    }
    if (!isPlain(part)) return fail(path, { problem: 'this is not an object', expected: FORMS });
    if ('not' in part) {
      onlyKeys(part, ['not'], path);
      return { not: check(part['not'], join(path, 'not'), depth + 1) };
    }
    for (const kind of ['and', 'or'] as const) {
      if (!(kind in part)) continue;
      onlyKeys(part, [kind], path);
      const parts = part[kind];
      const here = join(path, kind);
      if (!Array.isArray(parts)) return fail(here, { problem: 'this is not a list', expected: ['a list of filters'] });
      if (parts.length === 0) {
        if (kind === 'and' && path === '') return { and: [] };
        return fail(here, { problem: 'the list is empty', expected: ['one filter or more'] });
      }
      // Bounds the loop too: a list of a million empty lists is refused by what is in it, one of comparisons here.
      limitCount(parts.length, here);
      return joinNodes(
        kind,
        parts.map((one: unknown, index) => check(one, `${here}[${index}]`, depth + 1)),
      );
    }
    return checkComparison(part, path);
  }

  function checkComparison(part: Readonly<Record<string, unknown>>, path: string): FilterComparison {
    comparisons += 1;
    limitCount(comparisons, path);
    onlyKeys(part, ['field', 'key', 'op', 'value'], path);
    const { field: name, key, op, value } = part;
    if (typeof name !== 'string') return fail(join(path, 'field'), { problem: 'no field is named', expected: FORMS });
    if (key !== undefined && typeof key !== 'string') {
      return fail(join(path, 'key'), { problem: 'the key is not a string', expected: ['a string'] });
    }
    const found = resolveField(fields, name, key);
    if ('problem' in found) return fail(join(path, 'field'), found);
    const scalar = found.field.kind === 'map' ? found.field.value : found.field;
    const allowed = allowedOperators(scalar);
    const operator = allowed.find((known) => known === op);
    if (operator === undefined) {
      return fail(join(path, 'op'), { problem: 'the field does not take this operator', expected: allowed });
    }
    const left = { field: found.name, ...(found.key === undefined ? {} : { key: found.key }), op: operator };
    const here = join(path, 'value');
    if (operator === 'is null' || operator === 'is not null') {
      if (value !== undefined) return fail(here, { problem: 'the operator takes no value', expected: ['no value'] });
      return left;
    }
    const one = (raw: unknown, at: string): FilterValue => {
      const got = checkValue(scalar, operator, raw);
      return 'problem' in got ? fail(at, got) : got.value;
    };
    return { ...left, value: isListOperator(operator) ? list(value, here, one) : one(value, here) };
  }

  function list(values: unknown, path: string, one: (raw: unknown, at: string) => FilterValue): readonly FilterValue[] {
    const limit = FILTER_LIMITS.listSize;
    if (!Array.isArray(values) || values.length === 0) {
      return fail(path, { problem: 'this is not a list of values', expected: ['a list of one value or more'] });
    }
    if (values.length > limit) {
      const details = { limit, got: values.length };
      return fail(path, { problem: `a list has more than ${limit} values`, expected: [], details });
    }
    return values.map((raw: unknown, index) => one(raw, `${path}[${index}]`));
  }

  function limitCount(count: number, path: string): void {
    const limit = FILTER_LIMITS.comparisons;
    if (count > limit)
      fail(path, { problem: `it has more than ${limit} comparisons`, expected: [], details: { limit } });
  }

  return check(input, '', 1) as CheckedFilter;
}

const FORMS = ['{ field, op, value }', '{ and: […] }', '{ or: […] }', '{ not: … }'];

function isListOperator(op: FilterOperator): boolean {
  return op === 'in' || op === 'not in';
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function onlyKeys(part: Readonly<Record<string, unknown>>, known: readonly string[], path: string): void {
  if (Object.keys(part).every((key) => known.includes(key))) return;
  fail(path, { problem: 'it has a part of an unknown name', expected: known });
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function fail(path: string, problem: ValueProblem): never {
  throw filterError('filter', { place: { path }, ...problem });
}
