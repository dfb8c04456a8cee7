import { DomainError } from '../errors.ts';
import { TENANT_ID_MAX_LENGTH } from '../limits.ts';

declare const brand: unique symbol;

/** A validated tenant id. */
export type TenantId = string & { readonly [brand]: 'TenantId' };

// Control characters and line separators break log lines. An unpaired surrogate has no UTF-8 form: drivers send U+FFFD in
// its place, and two such ids would become one.
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{fffd}]/u;

/**
 * Takes text as a tenant id: 1 to 128 characters, no control characters, well-formed Unicode, no space at the ends.
 * Compared as it is: case and Unicode form matter. `invalid_input` says which rule is broken, never the text.
 *
 * The function app_set_tenant of the database takes the same ids; test/tenant-id.test.ts holds the two together.
 */
export function toTenantId(text: unknown): TenantId {
  const broken = brokenRule(text);
  if (broken === undefined) return text as TenantId;
  throw new DomainError('invalid_input', `The tenant id ${broken}.`, { details: { field: 'tenant' } });
}

function brokenRule(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'must be a string';
  if (text.length === 0) return 'must not be empty';
  // A code point is one or two units of UTF-16: what is longer than two for each need not be counted.
  if (text.length > 2 * TENANT_ID_MAX_LENGTH || Array.from(text).length > TENANT_ID_MAX_LENGTH) {
    return `must have at most ${TENANT_ID_MAX_LENGTH} characters`;
  }
  if (unprintable.test(text)) return 'must not hold control characters, line separators, unpaired surrogates or U+FFFD';
  return text.trim() === text ? undefined : 'must not begin or end with white space';
}
