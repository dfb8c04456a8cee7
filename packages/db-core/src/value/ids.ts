import { DomainError } from '../errors.ts';
import { uuidV7 } from './uuid-v7.ts';

declare const kind: unique symbol;

/** A uuid of one kind of row, so that a run's id is not taken for a model's. */
export type Id<Kind extends string> = string & { readonly [kind]: Kind };

/**
 * A new v7 uuid, in the order of `at` (default: now). Ids of this process come in the order in which they were made: those
 * of now all, those of a given time to the millisecond, among the thousand of these that came last.
 *
 * @throws DomainError `invalid_input` for an `at` that is no time from 1970 to 10889.
 */
export function newId<Kind extends string>(at?: Date): Id<Kind> {
  return uuidV7(at) as Id<Kind>;
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Takes text from outside as an id; `invalid_input` names `field` where it is no uuid. */
export function toId<Kind extends string>(text: unknown, field: string): Id<Kind> {
  if (typeof text === 'string' && uuidForm.test(text)) return text.toLowerCase() as Id<Kind>;
  throw new DomainError('invalid_input', `${field} must be a uuid, such as the id that the create call returned.`, {
    details: { field },
  });
}

/** The time that a v7 id carries, to the millisecond; `invalid_input` for a uuid of another version. */
export function timeOfId(id: string): Date {
  if (!uuidForm.test(id) || id[14] !== '7') {
    throw new DomainError('invalid_input', 'The id must be a uuid of version 7, which carries its time.');
  }
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/**
 * The lowest uuid of a millisecond: `id >= idFloor(from) and id < idFloor(to)` are the v7 ids of a window of time. It is no
 * v7 id itself, so that none lies below it. Times before 1970 have none: theirs is the lowest of all.
 */
export function idFloor(at: Date): string {
  const hex = Math.max(at.getTime(), 0).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
