import { DomainError } from '@mcp-hub/db-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../src/cache/cache-key.ts';
import { canonicalJson, plainJson } from '../../src/cache/canonical-json.ts';
import { PREDICTION_LIMITS } from '../../src/limits.ts';

const canonical = (value: unknown) => canonicalJson(value, 'input', 1_000_000);

function refusal(value: unknown, make: (value: unknown) => unknown = canonical) {
  try {
    make(value);
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code, message: error.message, details: error.details };
    throw error;
  }
  throw new Error('It was taken.');
}

const doubleOf = (hex: string) => Buffer.from(hex, 'hex').readDoubleBE();

describe('RFC 8785', () => {
  // Appendix B: the bits of a double, and the text that it has to become.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('appendix B: %s is %s', (bits, text) => {
    expect(canonical(doubleOf(bits))).toBe(text);
  });

  it.each([
    ['7fffffffffffffff', 'NaN'],
    ['7ff0000000000000', 'an infinity'],
    ['fff0000000000000', 'an infinity'],
  ])('appendix B: %s is an error', (bits, name) => {
    expect(refusal([1, doubleOf(bits)])).toMatchObject({
      code: 'invalid_input',
      details: { field: 'input[1]' },
      message: expect.stringContaining(`input[1] is ${name}`),
    });
  });

  // Section 3.2.2: literals, strings and numbers, with members that are not in order.
  const sample: unknown = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  it('section 3.2.2: the sample has the text that section 3.2.3 gives', () => {
    expect(canonical(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('section 3.2.4: the sample has these bytes in UTF-8', () => {
    const bytes = `
      7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73
      22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31
      65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c
      22 2f 22 7d`;
    expect(Buffer.from(canonical(sample)).toString('hex')).toBe(bytes.replaceAll(/\s/g, ''));
  });

  it('section 3.2.3: members stand in the order of their UTF-16 code units, at every depth', () => {
    const unordered = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const inOrder = [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ];
    const names = (text: string) => [...text.matchAll(/:"([^"]+)"/g)].map(([, name]) => name);
    expect(names(canonical(unordered))).toEqual(inOrder);
    expect(names(canonical([{ deep: unordered }]))).toEqual(inOrder);
  });

  it('section 3.2.2.2: control characters have the shortest escape, all else stands as it is', () => {
    const text = '\u0000\b\t\n\u000b\f\r\u001f "\\/\u007f\u2028é€\ud83d\ude00';
    expect(canonical(text)).toBe('"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f \\"\\\\/\u007f\u2028é€\ud83d\ude00"');
  });

  it.each([
    ['a high surrogate alone', '\ud800'],
    ['a low surrogate alone', 'a\udeadb'],
    ['a pair the wrong way round', '\ude00\ud83d'],
  ])('section 3.2.2.2: %s is an error, in a value and in a key', (_, text) => {
    expect(refusal({ a: [text] })).toMatchObject({ code: 'invalid_input', details: { field: 'input{1}[0]' } });
    expect(refusal({ a: { [text]: 1 } })).toMatchObject({ code: 'invalid_input', details: { field: 'input{1}' } });
  });

  it('section 3.1: no order of members and no white space makes a difference, and what is parsed back is the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonical(value);
        expect(canonical(reversed(value))).toBe(text);
        expect(canonical(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});

/** The same with the members of each object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('what JSON would drop or change in silence', () => {
  const holed = [1, 2];
  holed.length = 3;
  class Point {
    readonly x = 1;
  }
  const cycle: unknown[] = [];
  cycle.push({ back: cycle });
  it.each<readonly [string, unknown, string, string]>([
    ['undefined', undefined, 'input', 'is undefined'],
    ['an undefined member', { a: 1, b: undefined }, 'input{2}', 'is undefined'],
    ['a hole', holed, 'input[2]', 'is undefined'],
    ['NaN deep inside', { a: [{ b: Number.NaN }] }, 'input{1}[0]{1}', 'is NaN'],
    ['a bigint', [1n], 'input[0]', 'is a bigint'],
    ['a function', { toJSON: () => 1 }, 'input{1}', 'is a function'],
    ['a symbol', [Symbol('s')], 'input[0]', 'is a symbol'],
    ['a key that is a symbol', { [Symbol('s')]: 1 }, 'input', 'has a symbol for a key'],
    ['a Date', { at: new Date(0) }, 'input{1}', 'is a Date'],
    ['a Map', new Map([['a', 1]]), 'input', 'is a Map'],
    ['a typed array', [new Float64Array(2)], 'input[0]', 'is a typed array'],
    ['an object of a class', new Point(), 'input', 'is an object of a class'],
    ['a boxed number', Object(1), 'input', 'is an object of a class'],
    ['an array with a property', Object.assign([1], { name: 'a' }), 'input', 'is an array with named properties'],
    ['a cycle', cycle, 'input[0]{1}', 'holds itself'],
  ])('%s is refused, and its path is named', (_, value, field, what) => {
    const refused = refusal(value);
    expect(refused).toMatchObject({ code: 'invalid_input', details: { field } });
    expect(refused.message.startsWith(`${field} ${what}`)).toBe(true);
    expect(refusal(value, (given) => plainJson(given, 'input'))).toEqual(refused);
  });

  it('no name of a member and no value is told', () => {
    const { message, details } = refusal({ ok: 1, 'anna@example.org': { secret: Number.NaN } });
    expect(JSON.stringify([message, details])).not.toMatch(/anna|secret/);
    expect(details).toEqual({ field: 'input{2}{1}' });
  });

  it('a key __proto__ is a key as others', () => {
    const parsed: unknown = JSON.parse('{"b":1,"__proto__":{"a":2},"a":3}');
    expect(canonical(parsed)).toBe('{"__proto__":{"a":2},"a":3,"b":1}');
    expect(plainJson(parsed, 'output')).toBe('{"b":1,"__proto__":{"a":2},"a":3}');
    expect(cacheKey(parsed, undefined)).not.toBe(cacheKey({ b: 1, a: 3 }, undefined));
  });

  it('objects without a prototype are plain, and one object in two places is no cycle', () => {
    const shared = { x: 1 };
    expect(canonical(Object.assign(Object.create(null), { b: shared, a: shared }))).toBe('{"a":{"x":1},"b":{"x":1}}');
  });

  it('depth, bytes and values have their limits, and what grows by reference ends at them', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(canonical(nested(PREDICTION_LIMITS.cacheDepth))).toHaveLength(201);
    expect(refusal(nested(PREDICTION_LIMITS.cacheDepth + 1)).message).toContain('nested deeper than 100 levels');
    const bytes = PREDICTION_LIMITS.cacheInputBytes;
    expect(canonicalJson('a'.repeat(bytes - 2), 'input', bytes)).toHaveLength(bytes);
    expect(refusal('é'.repeat(bytes / 2))).toMatchObject({
      message: 'input must be at most 1000000 bytes of JSON, not 1000002.',
      details: { field: 'input', limit: bytes, got: bytes + 2 },
    });
    let doubled: unknown = [];
    for (let level = 1; level < 60; level += 1) doubled = [doubled, doubled];
    expect(refusal(doubled).message).toContain('has more values than JSON of the permitted size can hold');
  });
});

describe('a key', () => {
  it('is the SHA-256 of the canonical text, and the same for what is the same JSON', () => {
    // printf '{"input":{"a":1,"b":[0,"é"]},"params":null}' | sha256sum
    expect(cacheKey({ b: [-0, '\u00e9'], a: 1 }, null)).toBe(
      '73b31a9c228455db7df48e9db220e5277da4ec99dfeafccfdba7a3c8420687f3',
    );
    expect(cacheKey({ a: 1, b: 2 }, { t: 0.5 })).toBe(cacheKey({ b: 2, a: 1 }, { t: 5e-1 }));
  });

  it('tells apart what is not the same', () => {
    const keys = [
      cacheKey(1, undefined),
      cacheKey('1', undefined),
      cacheKey(1, null),
      cacheKey(1, {}),
      cacheKey([1], undefined),
      cacheKey(null, 1),
      cacheKey({ input: 1 }, undefined),
      // Not made one by normalisation: RFC 8785 leaves text as it is.
      cacheKey('\u00e9', undefined),
      cacheKey('e\u0301', undefined),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
