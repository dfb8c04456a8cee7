import { DomainError, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import type { UnitAttributes } from './assignment-definition.ts';

// What the functions' inputs are made of.

export const unitText = textInput(EXPERIMENT_LIMITS.unitLength).min(1);

/** Taken as they are: only what the targeting names is read. */
export const unitAttributes = z.custom<UnitAttributes>(
  (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
  'must be an object',
);

/** As unitText, for what is asked of each unit: the hash has looked for what cannot be stored. */
export function refuseUnit(unit: unknown): DomainError | undefined {
  const limit = EXPERIMENT_LIMITS.unitLength;
  if (typeof unit === 'string' && unit.length > 0 && unit.length <= limit) return undefined;
  return new DomainError('invalid_input', `unit must be a text of 1 to ${limit} characters.`, {
    details: { field: 'unit', limit },
  });
}

export const unstorableUnit = () =>
  new DomainError('invalid_input', 'unit must not hold NUL characters or unpaired surrogates.', {
    details: { field: 'unit' },
  });
