import { FILTER_LIMITS } from '../limits.ts';
import { filterError, placeInText } from './filter-error.ts';
import type { FilterFields, ScalarField } from './filter-fields.ts';
import type { CheckedFilter, FilterComparison, FilterNode, FilterOperator, FilterValue } from './filter-node.ts';
import type { FilterToken } from './filter-tokens.ts';
import { allowedOperators, checkValue } from './filter-value.ts';
import { joinNodes } from './join-nodes.ts';
import { tokenReader } from './token-reader.ts';

/** Words that mean something and so need quotes to be the name of a field; after a dot they are keys like any other. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  ...['and', 'or', 'not', 'in', 'is', 'null', 'like', 'ilike', 'true', 'false', 'nan'],
]);

/**
 * Reads a filter in MLflow's grammar, with OR, NOT, parentheses, NOT IN, NOT LIKE, IS NULL and IS NOT NULL besides:
 * ``name LIKE 'churn%' AND (tags.`data owner` != 'b' OR NOT metrics.loss < 5e-1)``.
 *
 * NOT binds tighter than AND, AND tighter than OR. Words such as AND are read in any case; names of fields, keys and
 * strings as they are written. Strings stand in single or double quotes, a quote in its own string is doubled. Keys
 * with other characters than letters, digits, `_` and dots stand in backticks or double quotes. Empty text lets
 * everything pass.
 *
 * @throws DomainError `invalid_input` with `offset`, `line`, `column` and what was `expected` there; never the text.
 */
export function parseFilter(fields: FilterFields, text: string): CheckedFilter {
  if (text.length > FILTER_LIMITS.textLength) {
    const limit = FILTER_LIMITS.textLength;
    throw filterError('filter', {
      place: placeInText(text, limit),
      problem: `the text is longer than ${limit} characters`,
      details: { limit, got: text.length },
    });
  }
  const reader = tokenReader('filter', text);
  let comparisons = 0;

  function either(depth: number): FilterNode {
    const parts = [both(depth)];
    while (reader.take('or')) parts.push(both(depth));
    return joinNodes('or', parts);
  }

  function both(depth: number): FilterNode {
    const parts = [one(depth)];
    while (reader.take('and')) parts.push(one(depth));
    return joinNodes('and', parts);
  }

  function one(depth: number): FilterNode {
    // Recursion stops here, long before the stack would.
    if (depth > FILTER_LIMITS.depth) {
      const limit = FILTER_LIMITS.depth;
      reader.fail({ problem: `it nests deeper than ${limit} levels`, expected: [], details: { limit } });
    }
    if (reader.take('not')) return { not: one(depth + 1) };
    if (!reader.take('(')) return comparison();
    const inner = either(depth + 1);
    if (!reader.take(')')) reader.expected('AND', 'OR', 'a closing parenthesis');
    return inner;
  }

  function comparison(): FilterComparison {
    comparisons += 1;
    if (comparisons > FILTER_LIMITS.comparisons) {
      const limit = FILTER_LIMITS.comparisons;
      reader.fail({ problem: `it has more than ${limit} comparisons`, expected: [], details: { limit } });
    }
    const { name, field, key } = reader.field(fields, RESERVED_WORDS);
    const scalar = field.kind === 'map' ? field.value : field;
    const op = operator(scalar);
    const left = { field: name, ...(key === undefined ? {} : { key }) };
    if (op === 'is null' || op === 'is not null') return { ...left, op };
    return { ...left, op, value: op === 'in' || op === 'not in' ? list(scalar, op) : value(scalar, op) };
  }

  function operator(field: ScalarField): FilterOperator {
    const start = reader.peek();
    const op = readOperator();
    const allowed = allowedOperators(field);
    if (op !== undefined && allowed.includes(op)) return op;
    return reader.fail(
      {
        problem: op === undefined ? 'no operator stands here' : 'the field does not take this operator',
        expected: allowed.map((known) => known.toUpperCase()),
      },
      start,
    );
  }

  function readOperator(): FilterOperator | undefined {
    const token = reader.peek();
    if (token.kind === 'operator') {
      reader.next();
      return token.text === '<>' ? '!=' : (token.text as FilterOperator);
    }
    if (reader.take('is')) {
      const negated = reader.take('not');
      if (!reader.take('null')) reader.expected(negated ? 'NULL' : 'NULL or NOT NULL');
      return negated ? 'is not null' : 'is null';
    }
    const negated = reader.take('not');
    for (const word of ['like', 'ilike', 'in'] as const) {
      if (reader.take(word)) return negated ? `not ${word}` : word;
    }
    return negated ? reader.expected('IN', 'LIKE', 'ILIKE') : undefined;
  }

  function list(field: ScalarField, op: FilterOperator): readonly FilterValue[] {
    if (!reader.take('(')) reader.expected('a list in parentheses');
    const values = [value(field, op)];
    while (reader.take(',')) {
      if (values.length === FILTER_LIMITS.listSize) {
        const limit = FILTER_LIMITS.listSize;
        reader.fail({ problem: `a list has more than ${limit} values`, expected: [], details: { limit } });
      }
      values.push(value(field, op));
    }
    if (!reader.take(')')) reader.expected('a comma', 'a closing parenthesis');
    return values;
  }

  function value(field: ScalarField, op: FilterOperator): FilterValue {
    const token = reader.peek();
    if (token.kind === 'word' && token.text.toLowerCase() === 'null') {
      reader.fail({ problem: 'NULL is not a value', expected: ['IS NULL', 'IS NOT NULL'] });
    }
    const raw = literal(token);
    if (raw === undefined) return reader.expected(field.kind === 'number' ? 'a number' : 'a value (text in quotes)');
    const got = checkValue(field, op, raw);
    if ('problem' in got) return reader.fail(got);
    if (got.value === Infinity || got.value === -Infinity) {
      if (/\d/.test(token.text)) {
        reader.fail({ problem: 'the number is too large', expected: ['a double-precision number', 'Infinity'] });
      }
    }
    reader.next();
    return got.value;
  }

  if (reader.peek().kind === 'end') return { and: [] } as FilterNode as CheckedFilter;
  const node = either(1);
  if (reader.peek().kind !== 'end') reader.expected('AND', 'OR', 'the end of the filter');
  return node as CheckedFilter;
}

const WORD_VALUES: ReadonlyMap<string, number | boolean> = new Map<string, number | boolean>([
  ['nan', Number.NaN],
  ['inf', Infinity],
  ['infinity', Infinity],
  ['true', true],
  ['false', false],
]);

function literal(token: FilterToken): string | number | boolean | undefined {
  switch (token.kind) {
    case 'string':
    case 'doubleQuoted':
      return token.text;
    case 'number': {
      const sign = token.text.startsWith('-') ? -1 : 1;
      return /inf/i.test(token.text) ? sign * Infinity : Number(token.text);
    }
    case 'word':
      return WORD_VALUES.get(token.text.toLowerCase());
    default:
      return undefined;
  }
}
