import { DomainError } from './errors.ts';

declare const brand: unique symbol;

/** A validated tenant id. */
export type TenantId = string & { readonly [brand]: 'TenantId' };

/** In UTF-16 code units; the id stands first in every key of every table. */
export const TENANT_ID_MAX_LENGTH = 128;

// Control characters and line separators break log lines; an unpaired surrogate has no UTF-8 form.
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Takes text as a tenant id: 1 to 128 characters, no control characters, well-formed Unicode, no space at the ends.
 * Compared as it is: case and Unicode form matter. `invalid_input` says which rule is broken, never the text.
 */
export function toTenantId(text: unknown): TenantId {
  const broken =
    typeof text !== 'string'
      ? 'must be a string'
      : text.length === 0
        ? 'must not be empty'
        : text.length > TENANT_ID_MAX_LENGTH
          ? `must have at most ${TENANT_ID_MAX_LENGTH} characters, not ${text.length}`
          : unprintable.test(text)
            ? 'must not hold control characters, line separators or unpaired surrogates'
            : text.trim() !== text
              ? 'must not begin or end with white space'
              : undefined;
  if (broken === undefined) return text as TenantId;
  throw new DomainError('invalid_input', `The tenant id ${broken}.`, { details: { field: 'tenant' } });
}
