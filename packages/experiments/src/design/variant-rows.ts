import { type Id, newId } from '@mcp-hub/db-core';
import type { z } from 'zod';
import type { variantList } from './experiment-inputs.ts';

export type GivenVariants = z.output<typeof variantList>;

/** The rows of ab_variants, those that are known under their ids. The first is the control where none is named. */
export function variantRows(
  experimentId: Id<'Experiment'>,
  given: GivenVariants,
  known: ReadonlyMap<string, Id<'Variant'>> = new Map(),
) {
  const namesControl = given.some(({ isControl }) => isControl);
  return given.map(({ key, isControl = false, modelVersionId, description }, position) => ({
    id: known.get(key) ?? newId<'Variant'>(),
    experimentId,
    key,
    position,
    isControl: namesControl ? isControl : position === 0,
    modelVersionId: (modelVersionId ?? null) as Id<'ModelVersion'> | null,
    description: description ?? null,
  }));
}

/** Equal ones where none is given. */
export const weightsOf = (given: GivenVariants): readonly number[] =>
  given.map(({ weight }) => weight ?? 1 / given.length);
