import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../src/errors.ts';
import { checkFilter } from '../src/filter/check-filter.ts';
import type { FilterComparison, FilterNode, FilterOperator, FilterValue } from '../src/filter/filter-node.ts';
import { allowedOperators } from '../src/filter/filter-value.ts';
import { formatFilter } from '../src/filter/format-filter.ts';
import { parseFilter } from '../src/filter/parse-filter.ts';
import { readFilter } from '../src/filter/read-filter.ts';
import { FILTER_LIMITS } from '../src/limits.ts';
import { runFields } from './filter-example.ts';

const parse = (text: string) => parseFilter(runFields, text);

function refusal(work: () => unknown): DomainError {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the text of a filter', () => {
  it('reads comparisons joined by AND as MLflow does', () => {
    expect(parse(`name = 'x' AND tags.owner != "b" and metrics.loss < -5e-1 AND params."lr rate" LIKE '%x'`)).toEqual({
      and: [
        { field: 'name', op: '=', value: 'x' },
        { field: 'tags', key: 'owner', op: '!=', value: 'b' },
        { field: 'metrics', key: 'loss', op: '<', value: -0.5 },
        { field: 'params', key: 'lr rate', op: 'like', value: '%x' },
      ],
    });
  });

  it('binds NOT tighter than AND, and AND tighter than OR', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((value) => ({ field: 'name', op: '=', value }));
    expect(parse(`name = 'a' OR NOT name = 'b' AND name = 'c'`)).toEqual({ or: [a, { and: [{ not: b }, c] }] });
    expect(parse(`(name = 'a' OR name = 'b') AND name = 'c'`)).toEqual({ and: [{ or: [a, b] }, c] });
    expect(parse(`((name = 'a') AND (name = 'b' AND name = 'c'))`)).toEqual({ and: [a, b, c] });
    expect(parse(`name = 'a' OR (name = 'b' OR name = 'c')`)).toEqual({ or: [a, b, c] });
  });

  it.each([
    ['name', { field: 'name' }],
    ['attributes.name', { field: 'name' }],
    ['attribute.run_name', { field: 'name' }],
    ['attr.`name`', { field: 'name' }],
    ['metrics.`avg model score`', { field: 'metrics', key: 'avg model score' }],
    ['metric."a.b"', { field: 'metrics', key: 'a.b' }],
    ['tags.mlflow.source.name', { field: 'tags', key: 'mlflow.source.name' }],
    ['tags.in', { field: 'tags', key: 'in' }],
    ['tags.inf', { field: 'tags', key: 'inf' }],
    ['tag.`back``tick`', { field: 'tags', key: 'back`tick' }],
    ['created_at', { field: 'createdAt' }],
    ['createdAt', { field: 'createdAt' }],
  ])('takes %s for the name of a field', (name, field) => {
    expect(parse(`${name} IS NOT NULL`)).toEqual({ ...field, op: 'is not null' });
  });

  it.each([
    [`name = 'it''s'`, "it's"],
    [`name = "it's"`, "it's"],
    [`name = "a ""b"""`, 'a "b"'],
    [`name LIKE '50\\%'`, '50\\%'],
    [`score = -.5`, -0.5],
    [`score = 1e3`, 1000],
    [`score = 2.`, 2],
    [`score = -Infinity`, -Infinity],
    [`score = inf`, Infinity],
    [`score = NaN`, Number.NaN],
    [`stage = 'Production'`, 'production'],
    [`created_at >= '2001-02-03T04:05:06.123456+01:00'`, '2001-02-03T03:05:06.123456Z'],
    [`created_at >= '2001-02-03'`, '2001-02-03T00:00:00.000Z'],
    [`created_at >= 1664067852747`, '2022-09-25T01:04:12.747Z'],
    [`run_id = '0190A6E4-0000-7000-8000-00000000000A'`, '0190a6e4-0000-7000-8000-00000000000a'],
  ])('reads the value of %s', (text, value) => {
    expect(parse(text)).toMatchObject({ value });
  });

  it('reads <>, lists, NOT IN, NOT LIKE and nulls with their words in any case', () => {
    expect(parse(`name <> 'a'`)).toMatchObject({ op: '!=' });
    expect(parse(`name In ('a', "b")`)).toMatchObject({ op: 'in', value: ['a', 'b'] });
    expect(parse(`steps not in (1,-2)`)).toMatchObject({ op: 'not in', value: [1, -2] });
    expect(parse(`name nOt iLiKe 'a%'`)).toMatchObject({ op: 'not ilike' });
    expect(parse(`tags.a is null`)).toEqual({ field: 'tags', key: 'a', op: 'is null' });
  });

  it('lets everything pass when it is empty', () => {
    expect(parse(' \n ')).toEqual({ and: [] });
    expect(readFilter(runFields, undefined)).toEqual({ and: [] });
  });
});

describe('a text that is no filter is refused with its place', () => {
  it.each([
    ['name LIKE', 9],
    ['name LIKE 5', 10],
    ["name LIKE 'a\\'", 10],
    ["name LIKE 'a\\\\\\'", 10],
    ['run_id IN', 9],
    ['run_id IN ()', 11],
    ['run_id IN (,)', 11],
    ['run_id IN (1,2,3)', 11],
    ['name IN (1)', 9],
    [`name IN ('a',)`, 13],
    [`name IN ('a' 'b')`, 13],
    [`name IN 'a'`, 8],
    [`lifecycle_stage = 'ACTIVE'`, 0],
    [`attribute.lifecycle_stage = 'ACTIVE'`, 0],
    [`attribute.tags.a = 'x'`, 0],
    [`name.more = 'x'`, 0],
    ['tags = 1', 0],
    ["tags.`` = 'x'", 0],
    ["tags.'a' = 'x'", 5],
    ["'name' = 'x'", 0],
    ["and = 'x'", 0],
    ["name == 'x'", 6],
    ["name > 'x'", 5],
    ["name RLIKE 'x'", 5],
    ['name', 4],
    ['name = x', 7],
    ['name = NULL', 7],
    ['name IS 5', 8],
    ['tags.5 = 1', 5],
    ['name IS NOT', 11],
    ["name NOT = 'x'", 9],
    ["name = 'x", 7],
    ['name = `x`', 7],
    ["name = 'x' name = 'y'", 11],
    ["name = 'x' AND", 14],
    ["name = 'x' ; drop table x", 11],
    ["(name = 'x'", 11],
    ["name = 'x')", 10],
    ['NOT', 3],
    ["metrics.loss < '0.5'", 15],
    ['metrics.cross-entropy < 1', 13],
    ['score = 1e999', 8],
    ['score = -1e999', 8],
    ['score = 5x', 9],
    ['score > NaN', 8],
    ['score = true', 8],
    ['steps = 9007199254740993', 8],
    ["stage = 'gone'", 8],
    ["stage LIKE 'prod%'", 6],
    ["run_id = 'x'", 9],
    ["created_at > '2001-02-30'", 13],
    ["created_at > '2001-02-03T04:05:06'", 13],
    ["created_at > 'yesterday'", 13],
    ["name = 'a\u0000'", 7],
    ["name = '\ud800'", 7],
  ])('%s', (text, offset) => {
    const { code, details } = refusal(() => parse(text));
    expect(code).toBe('invalid_input');
    expect(details).toMatchObject({ offset, line: 1, column: offset + 1 });
    expect(details['expected']).not.toHaveLength(0);
  });

  it('counts lines and columns', () => {
    const { message, details } = refusal(() => parse("name = 'x'\n  AND nome = 'y'"));
    expect(details).toMatchObject({ offset: 17, line: 2, column: 7 });
    expect(message).toContain('at line 2, column 7');
  });

  it('lists the fields that there are', () => {
    expect(refusal(() => parse("lifecycle_stage = 'ACTIVE'")).details['expected']).toEqual([
      ...['run_id', 'name', 'note', 'stage', 'steps', 'score', 'created_at', 'tags.<key>', 'params.<key>'],
      'metrics.<key>',
    ]);
  });

  it('repeats nothing of the text', () => {
    for (const text of [
      "hunter2 = 'x'",
      "stage = 'hunter2'",
      'run_id IN (hunter2)',
      "name = 'x' hunter2",
      'tags.x-hunter2',
    ]) {
      const error = refusal(() => parse(text));
      expect(error.message + JSON.stringify(error.details)).not.toContain('hunter2');
    }
  });

  it.each([
    ['textLength', `name = '${'x'.repeat(FILTER_LIMITS.textLength)}'`],
    ['depth', `${'('.repeat(30_000)}name = 'x'${')'.repeat(30_000)}`],
    ['depth', `${'NOT '.repeat(16_000)}name = 'x'`],
    [
      'comparisons',
      Array(FILTER_LIMITS.comparisons + 1)
        .fill('steps=1')
        .join(' OR '),
    ],
    [
      'listSize',
      `steps IN (${Array(FILTER_LIMITS.listSize + 1)
        .fill('1')
        .join(',')})`,
    ],
    ['keyLength', `tags.${'x'.repeat(FILTER_LIMITS.keyLength + 1)} = 'x'`],
    ['valueLength', `name = '${'x'.repeat(FILTER_LIMITS.valueLength + 1)}'`],
  ] as const)('names the limit %s that it goes beyond', (limit, text) => {
    const { code, message, details } = refusal(() => parse(text));
    expect(code).toBe('invalid_input');
    expect(details['limit']).toBe(FILTER_LIMITS[limit]);
    expect(message).toContain(String(FILTER_LIMITS[limit]));
  });

  it('takes what is exactly at the limits', () => {
    const depth = FILTER_LIMITS.depth - 1;
    parse(`${'('.repeat(depth)}name = 'x'${')'.repeat(depth)}`);
    parse(Array(FILTER_LIMITS.comparisons).fill('steps=1').join(' OR '));
    parse(`steps IN (${Array(FILTER_LIMITS.listSize).fill('1').join(',')})`);
    parse(`tags.${'x'.repeat(FILTER_LIMITS.keyLength)} = '${'y'.repeat(FILTER_LIMITS.valueLength)}'`);
  });
});

describe('a filter as an object', () => {
  it('is the same filter as its text', () => {
    const since = new Date('2001-02-03T00:00:00Z');
    const filter = readFilter(runFields, {
      and: [
        { field: 'name', op: 'like', value: 'churn%' },
        { and: [{ field: 'createdAt', op: '>=', value: since }] },
        {
          or: [
            { field: 'tags', key: 'data owner', op: 'in', value: ['a'] },
            { not: { field: 'stage', op: '=', value: 'staging' } },
          ],
        },
      ],
    });
    const text =
      "name LIKE 'churn%' AND created_at >= '2001-02-03' AND (tags.`data owner` IN ('a') OR NOT stage = 'staging')";
    expect(filter).toEqual(parse(text));
  });

  it('does not compile with a wrong field, key, operator or type', () => {
    const refused = [
      // @ts-expect-error there is no such field
      () => readFilter(runFields, { field: 'nome', op: '=', value: 'x' }),
      // @ts-expect-error a text field takes no number
      () => readFilter(runFields, { field: 'name', op: '=', value: 5 }),
      // @ts-expect-error text is not ordered
      () => readFilter(runFields, { field: 'name', op: '<', value: 'x' }),
      // @ts-expect-error not a stage
      () => readFilter(runFields, { field: 'stage', op: '=', value: 'gone' }),
      // @ts-expect-error a map needs a key
      () => readFilter(runFields, { field: 'tags', op: '=', value: 'x' }),
      // @ts-expect-error metrics are numbers
      () => readFilter(runFields, { and: [{ field: 'metrics', key: 'loss', op: '<', value: '1' }] }),
      // @ts-expect-error IN takes a list
      () => readFilter(runFields, { field: 'name', op: 'in', value: 'x' }),
      // @ts-expect-error IS NULL takes no value
      () => readFilter(runFields, { field: 'note', op: 'is null', value: 'x' }),
    ];
    for (const read of refused) expect(refusal(read).code).toBe('invalid_input');
  });

  it.each([
    [
      {
        and: [
          { field: 'name', op: '=', value: 'x' },
          { field: 'steps', op: '=', value: '1' },
        ],
      },
      'and[1].value',
    ],
    [{ or: [{ not: { field: 'toString', op: '=', value: 'x' } }] }, 'or[0].not.field'],
    [{ field: 'name', op: 'in', value: ['a', 5] }, 'value[1]'],
    [{ field: 'name', op: 'in', value: [] }, 'value'],
    [{ field: 'name', op: '=' }, 'value'],
    [{ field: 'name', op: '=', value: 'x', extra: 1 }, ''],
    [{ field: 'name', key: 'x', op: '=', value: 'x' }, 'field'],
    [{ or: [] }, 'or'],
    [{ not: { and: [] } }, 'not.and'],
    [{ and: {} }, 'and'],
    [{}, 'field'],
    [[], ''],
    [null, ''],
    [5, ''],
  ])('%j is refused with its path', (filter, path) => {
    expect(refusal(() => checkFilter(runFields, filter)).details).toMatchObject({ path });
  });

  it('is refused when it nests without end', () => {
    const circle: { not?: unknown } = {};
    circle.not = circle;
    expect(refusal(() => checkFilter(runFields, circle)).details['limit']).toBe(FILTER_LIMITS.depth);
  });
});

const leaf: fc.Arbitrary<FilterComparison> = fc
  .constantFrom(...Object.entries(runFields.fields))
  .chain(([name, field]) => {
    const scalar = field.kind === 'map' ? field.value : field;
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    const values: Record<string, fc.Arbitrary<FilterValue>> = {
      text,
      enum: fc.constantFrom('development', 'staging', 'production', 'archived'),
      number: scalar.kind === 'number' && scalar.cast === 'bigint' ? fc.maxSafeInteger() : fc.double(),
      time: fc
        .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      uuid: fc.uuid(),
    };
    const value = values[scalar.kind] ?? text;
    return fc
      .record({
        key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
        op: fc.constantFrom(...allowedOperators(scalar)),
        one: value,
        list: fc.array(value, { minLength: 1, maxLength: 3 }),
      })
      .filter(({ op, one }) => !(/[<>]/.test(op) && Number.isNaN(one)))
      .map(({ key, op, one, list }) => ({
        field: name,
        ...(field.kind === 'map' ? { key } : {}),
        op,
        ...valueFor(op, one, list),
      }))
      .filter(
        (node) =>
          !(/like/.test(node.op) && String(node.value).endsWith('\\')) && !JSON.stringify(node).includes('\\u0000'),
      );
  });

function valueFor(op: FilterOperator, one: FilterValue, list: readonly FilterValue[]) {
  if (op === 'is null' || op === 'is not null') return {};
  return { value: op === 'in' || op === 'not in' ? list : one };
}

const { node } = fc.letrec<{ node: FilterNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    tie('node').map((not) => ({ not })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
  ),
}));

describe('property', () => {
  it('a filter is written as text that reads as the same filter', () => {
    fc.assert(
      fc.property(node, (input) => {
        const filter = checkFilter(runFields, input);
        expect(parse(formatFilter(filter))).toEqual(filter);
      }),
      { numRuns: 1_000 },
    );
  });

  it('no text makes the parser throw anything but a DomainError', () => {
    const words = fc.constantFrom(
      ...['name', 'tags', '.', 'a', "'x'", '"y"', '`z`', '(', ')', ',', '=', '<>', '!=', '<', 'AND', 'OR', 'NOT', 'IN'],
      ...['IS', 'NULL', 'LIKE', '5', '-', '-1e5', 'inf', 'NaN', 'true', 'steps', 'metrics.', "'", '"', '`', '\\', '\0'],
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 15 }).map((parts) => parts.join(' ')),
      fc.array(words, { maxLength: 15 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('no object makes the check throw anything but a DomainError', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        try {
          checkFilter(runFields, input);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
    );
  });
});
