import { keepsEachKey, nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import type { ExposureSlices } from './schema.ts';

/** What is assigned, exposed and measured, such as a user, an order or a flight. */
export const unitName = nameInput(EXPERIMENT_LIMITS.unitLength);
const keyName = nameInput(EXPERIMENT_LIMITS.keyLength);

const sliceRecord = keepsEachKey<ExposureSlices>().pipe(
  z
    .record(nameInput(EXPERIMENT_LIMITS.sliceNameLength), textInput(EXPERIMENT_LIMITS.sliceValueLength))
    .refine((slices) => Object.keys(slices).length <= EXPERIMENT_LIMITS.slices, {
      message: `must have at most ${EXPERIMENT_LIMITS.slices} attributes`,
    }),
);

/** That a unit saw a variant. */
export const ExposureInput = z.strictObject({
  /** The key of the experiment. */
  experiment: keyName,
  unit: unitName,
  /** The key of the variant. */
  variant: keyName,
  /** When, to the millisecond. Default: the time of the transaction. */
  at: z.date().optional(),
  /** What is known of the unit, such as its country; kept of its first exposure. */
  slices: sliceRecord.optional(),
});
export type ExposureInput = Readonly<z.input<typeof ExposureInput>>;

// Printable ASCII without a space at the ends: what most names are. Others are left to the schema.
const plainName = /^[!-~](?:[ -~]*[!-~])?$/;
const isPlainName = (value: unknown, length: number) =>
  typeof value === 'string' && value.length <= length && plainName.test(value);

/** Whether ExposureInput takes an exposure as it is, told in a tenth of its time. False means nothing. */
export function isPlainExposure(given: ExposureInput): boolean {
  const fields: unknown = given;
  if (typeof fields !== 'object' || fields === null || Object.getPrototypeOf(fields) !== Object.prototype) return false;
  let keys = 0;
  for (const key in fields) if (Object.hasOwn(fields, key)) keys += 1;
  const { experiment, unit, variant, at } = given;
  return (
    keys === (at === undefined ? 3 : 4) &&
    isPlainName(unit, EXPERIMENT_LIMITS.unitLength) &&
    isPlainName(experiment, EXPERIMENT_LIMITS.keyLength) &&
    isPlainName(variant, EXPERIMENT_LIMITS.keyLength) &&
    (at === undefined || (at instanceof Date && !Number.isNaN(at.getTime())))
  );
}
