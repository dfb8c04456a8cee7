import { createHash } from 'node:crypto';
import { canonicalJson } from '@mcp-hub/db-core';

/** SHA-256, in hexadecimal digits, of a value's JSON by RFC 8785. Doubles are told apart to the last bit, 0 from -0 not. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value, 'value')).digest('hex');
}
