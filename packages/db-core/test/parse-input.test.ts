import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DomainError } from '../src/errors.ts';
import { jsonInput, nameInput, parseInput, textInput } from '../src/value/parse-input.ts';

const Input = z.strictObject({
  name: nameInput(10),
  stage: z.enum(['staging', 'production']).optional(),
  size: z.int().min(1).max(5).optional(),
  tags: z.record(textInput(4), textInput(6)).optional(),
  rows: z
    .array(z.strictObject({ key: textInput(3) }))
    .max(2)
    .optional(),
  metadata: jsonInput(20).optional(),
  step: z.union([z.enum(['day']), z.strictObject({ minutes: z.int() })], 'must be "day" or minutes').optional(),
  rules: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('least'), rows: z.int() }),
        z
          .strictObject({ kind: z.literal('age'), hours: z.number() })
          .refine(({ hours }) => hours > 0, 'must be an age'),
      ]),
    )
    .optional(),
});

const refusal = (input: unknown): DomainError => {
  try {
    parseInput(Input, input);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('The input was accepted.');
};

describe('parseInput', () => {
  it('gives back what the schema makes of the input', () => {
    expect(parseInput(Input, { name: 'churn', size: 3 })).toEqual({ name: 'churn', size: 3 });
  });

  it.each([
    [{ name: 'x'.repeat(11) }, 'name must have at most 10 characters, not 11.', { field: 'name', limit: 10, got: 11 }],
    [{ name: '' }, 'name must have at least 1 characters, not 0.', { field: 'name', limit: 1, got: 0 }],
    [{}, 'name is missing.', { field: 'name' }],
    [{ name: null }, 'name must be of type string.', { field: 'name' }],
    [
      null,
      'The input must be of type object, with the fields name, stage, size, tags, rows, metadata, step, rules.',
      { field: '' },
    ],
    [{ name: 'a\nb' }, 'name must not hold control characters or line separators.', { field: 'name' }],
    [{ name: ' a' }, 'name must not begin or end with white space.', { field: 'name' }],
    [{ name: 'a', stage: 'secret' }, 'stage must be one of: staging, production.', { field: 'stage' }],
    [{ name: 'a', size: 77 }, 'size must be at most 5.', { field: 'size', limit: 5 }],
    [
      { name: 'a', secret: 1 },
      'The input holds a field that is not known here; known are name, stage, size, tags, rows, metadata, step, rules.',
      { field: '' },
    ],
    [
      { name: 'a', rows: [{ key: 'a', secret: 1 }] },
      'rows[0] holds a field that is not known here; known are key.',
      {},
    ],
    [{ name: 'a', step: 'secret' }, 'step must be "day" or minutes.', { field: 'step' }],
    [{ name: 'a', step: { minutes: 'secret' } }, 'step must be "day" or minutes.', { field: 'step' }],
    [{ name: 'a', rows: [{ key: 'a' }, { key: 'secret' }] }, 'rows[1].key must have at most 3 characters, not 6.', {}],
    [{ name: 'a', rows: [{ key: '' }, {}] }, 'rows[1].key is missing.', { field: 'rows[1].key' }],
    [{ name: 'a', rows: [{}, {}, {}] }, 'rows must have at most 2 items, not 3.', { field: 'rows', limit: 2, got: 3 }],
    [{ name: 'a', rules: [{ kind: 'secret' }] }, 'rules[0].kind must be one of: least, age.', {}],
    [{ name: 'a', rules: [{}] }, 'rules[0].kind must be one of: least, age.', {}],
    [{ name: 'a', rules: [{ kind: 'age' }] }, 'rules[0].hours is missing.', { field: 'rules[0].hours' }],
    [{ name: 'a', rules: [{ kind: 'age', hours: -1 }] }, 'rules[0] must be an age.', { field: 'rules[0]' }],
    [
      { name: 'a', rules: [{ kind: 'least', rows: 1, secret: 1 }] },
      'rules[0] holds a field that is not known here; known are kind, rows.',
      {},
    ],
    [{ name: 'a', tags: { sec: 'secrets' } }, 'tags[…] must have at most 6 characters, not 7.', { field: 'tags[…]' }],
    [{ name: 'a', tags: { s: 'a\u0000' } }, 'tags[…] must not hold NUL characters or unpaired surrogates.', {}],
    [{ name: 'a', metadata: { s: 'x'.repeat(20) } }, 'metadata must have at most 20 characters, not 28.', {}],
    [{ name: 'a', metadata: { s: '\ud800' } }, 'metadata must not hold NUL characters or unpaired surrogates.', {}],
  ])('says of %j', (input, message, details) => {
    const error = refusal(input);
    expect(error.code).toBe('invalid_input');
    expect(error.message).toBe(message);
    expect(error.details).toMatchObject(details);
  });

  it('refuses what JSON cannot hold', () => {
    for (const lost of [1n, Number.NaN, () => {}, new Map()]) {
      expect(refusal({ name: 'a', metadata: { lost } }).message).toMatch(/^metadata must be JSON/);
    }
    expect(parseInput(Input, { name: 'a', metadata: { s: '\\u0000' } }).metadata).toEqual({ s: '\\u0000' });
  });

  it('keeps keys and values of the caller out of the error', () => {
    const error = refusal({ name: 'a', tags: { 'secret-key': 'secret-value' } });
    expect(error.message + JSON.stringify(error.details)).not.toContain('secret');
  });
});

it('refuses a key that records lose, rather than storing less than was given', () => {
  const schema = z.strictObject({ metadata: jsonInput(1_000) });
  const given = JSON.parse('{"metadata":{"__proto__":{"a":1},"b":2}}') as unknown;
  expect(() => parseInput(schema, given)).toThrow('metadata must not have the key __proto__, which records lose.');
  expect(parseInput(schema, { metadata: { b: { c: [1, null] } } })).toEqual({ metadata: { b: { c: [1, null] } } });
  expect(z.toJSONSchema(schema, { io: 'input' }).properties).toHaveProperty('metadata');
});
