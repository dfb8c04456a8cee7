import { v7 } from 'uuid';
import { DomainError } from '../errors.ts';

declare const kind: unique symbol;

/** A uuid of one kind of row, so that a run's id is not taken for a model's. */
export type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** A new v7 uuid, in the order of `at` (default: now); ids of one process and millisecond keep their order. */
export function newId<Kind extends string>(at?: Date): Id<Kind> {
  return (at === undefined ? v7() : v7({ msecs: at.getTime() })) as Id<Kind>;
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
