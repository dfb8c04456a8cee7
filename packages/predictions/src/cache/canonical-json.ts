import { DomainError } from '@mcp-hub/db-core';
import canonicalize from 'canonicalize';
import { PREDICTION_LIMITS } from '../limits.ts';

/**
 * JSON by RFC 8785 (JCS): equal values are equal text. Refuses what JSON would drop or change in silence, where the library
 * does as JSON.stringify does.
 *
 * @throws DomainError `invalid_input` as checkJson, and where the text is longer than `bytesMax` in UTF-8.
 */
export function canonicalJson(value: unknown, field: string, bytesMax: number): string {
  checkJson(value, field, bytesMax);
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('What was checked is JSON');
  return checkedLength(text, field, bytesMax);
}

/** JSON with members in their own order, under the same rules as canonicalJson; of any length. */
export function plainJson(value: unknown, field: string): string {
  checkJson(value, field, Number.POSITIVE_INFINITY);
  return JSON.stringify(value);
}

function checkedLength(text: string, field: string, bytesMax: number): string {
  const got = Buffer.byteLength(text);
  if (got <= bytesMax) return text;
  throw new DomainError('invalid_input', `${field} must be at most ${bytesMax} bytes of JSON, not ${got}.`, {
    details: { field, limit: bytesMax, got },
  });
}

/**
 * Takes null, booleans, finite numbers, well-formed strings, arrays without holes and plain objects.
 *
 * @throws DomainError `invalid_input` for the first thing that is none of these. The message and `details.field` name its
 *   path by places: `input[3]` is an item, `input{2}` the second member in the order of the object's own keys, whose names
 *   are the tenant's.
 */
function checkJson(value: unknown, field: string, bytesMax: number): void {
  check(value, { around: [], nodesLeft: bytesMax, path: [] }, field);
}

interface Walk {
  /** The arrays and objects that the value is in: an ancestor that comes again is a cycle. */
  readonly around: object[];
  /** Each takes a byte at least. Without this bound an object that holds another twice, and so on, would never end. */
  nodesLeft: number;
  readonly path: string[];
}

function check(value: unknown, walk: Walk, field: string): void {
  walk.nodesLeft -= 1;
  if (walk.nodesLeft < 0) throw refusal('has more values than JSON of the permitted size can hold', walk, field);
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (Number.isFinite(value)) return;
      throw refusal(`is ${Number.isNaN(value) ? 'NaN' : 'an infinity'}, which JSON has not`, walk, field);
    case 'string':
      if (isWellFormed(value)) return;
      throw refusal('holds an unpaired surrogate, which RFC 8785 refuses', walk, field);
    case 'object':
      if (value === null) return;
      checkContainer(value, walk, field);
      return;
    default:
      throw refusal(
        `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}, which JSON has not`,
        walk,
        field,
      );
  }
}

function checkContainer(value: object, walk: Walk, field: string): void {
  if (walk.around.includes(value)) throw refusal('holds itself', walk, field);
  if (walk.around.length >= PREDICTION_LIMITS.cacheDepth) {
    throw refusal(`is nested deeper than ${PREDICTION_LIMITS.cacheDepth} levels`, walk, field);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw refusal('has a symbol for a key', walk, field);
  const keys = Object.keys(value);
  walk.around.push(value);
  if (Array.isArray(value)) {
    if (keys.length > value.length) throw refusal('is an array with named properties', walk, field);
    // By index, so that a hole is met as undefined.
    for (let index = 0; index < value.length; index += 1) checkPart(value[index], `[${index}]`, walk, field);
  } else {
    if (!isPlain(value)) throw refusal(`is ${nameOfClass(value)}, and no plain object or array`, walk, field);
    for (const [index, key] of keys.entries()) {
      if (!isWellFormed(key))
        throw refusal('has a key with an unpaired surrogate, which RFC 8785 refuses', walk, field);
      checkPart((value as Readonly<Record<string, unknown>>)[key], `{${index + 1}}`, walk, field);
    }
  }
  walk.around.pop();
}

function checkPart(part: unknown, place: string, walk: Walk, field: string): void {
  walk.path.push(place);
  check(part, walk, field);
  walk.path.pop();
}

/** Of this realm or of another: nothing stands between it and the end of its chain but an Object.prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

const known = [Date, Map, Set, RegExp, Promise, Error] as const;

/** Names of the language's own classes only: those of a program might be values. */
function nameOfClass(value: object): string {
  if (ArrayBuffer.isView(value)) return 'a typed array';
  const name = known.find((one) => value instanceof one)?.name;
  return name === undefined ? 'an object of a class' : `a ${name}`;
}

// String.prototype.isWellFormed is of Node 20, whose types say nothing of it.
const isWellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);

function refusal(what: string, walk: Walk, field: string): DomainError {
  const path = `${field}${walk.path.join('')}`;
  return new DomainError(
    'invalid_input',
    `${path} ${what}. It must be JSON: null, booleans, finite numbers, strings, arrays and plain objects.`,
    { details: { field: path } },
  );
}
