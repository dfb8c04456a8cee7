import { randomBytes } from 'node:crypto';

/** A tenant id that no other test uses: tests of a file share its database. */
export function freshTenant(label = 'tenant'): string {
  return `${label}-${randomBytes(6).toString('hex')}`;
}
