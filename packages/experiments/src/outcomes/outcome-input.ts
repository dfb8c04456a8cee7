import { nameInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { unitName } from '../exposures/exposure-input.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';

const size = EXPERIMENT_LIMITS.valueSize;

/** What a unit did. */
export const OutcomeInput = z.strictObject({
  /**
   * A v7 id made by the caller for this event, `newId(at)`: sent again after a failure, it is not recorded twice. It
   * carries the event's time, so `at` is the same or left out. Default: a new one.
   */
  id: z.uuidv7().optional(),
  /** When, to the millisecond. Default: the time of `id`, else that of the transaction. */
  at: z.date().optional(),
  /** The name that metrics read, such as `purchase`. */
  outcome: nameInput(EXPERIMENT_LIMITS.outcomeLength),
  unit: unitName,
  /** Default 1, for what merely happened. At most 1e140 in size. */
  value: z.number().min(-size).max(size).optional(),
});
export type OutcomeInput = Readonly<z.input<typeof OutcomeInput>>;

// Printable ASCII without a space at the ends: what most names are. Others are left to the schema.
const plainName = /^[!-~](?:[ -~]*[!-~])?$/;
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const isPlainName = (value: unknown, length: number) =>
  typeof value === 'string' && value.length <= length && plainName.test(value);

/** Whether OutcomeInput takes an outcome as it is, told in a tenth of its time. False means nothing. */
export function isPlainOutcome(given: OutcomeInput): boolean {
  const fields: unknown = given;
  if (typeof fields !== 'object' || fields === null || Object.getPrototypeOf(fields) !== Object.prototype) return false;
  for (const key in fields) {
    if (!isPlainField(key, Reflect.get(fields, key))) return false;
  }
  return given.outcome !== undefined && given.unit !== undefined;
}

function isPlainField(key: string, value: unknown): boolean {
  switch (key) {
    case 'id':
      return typeof value === 'string' && uuidV7.test(value);
    case 'at':
      return value instanceof Date && !Number.isNaN(value.getTime());
    case 'outcome':
      return isPlainName(value, EXPERIMENT_LIMITS.outcomeLength);
    case 'unit':
      return isPlainName(value, EXPERIMENT_LIMITS.unitLength);
    case 'value':
      return typeof value === 'number' && value >= -size && value <= size;
    default:
      return false;
  }
}
