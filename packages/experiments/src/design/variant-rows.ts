import { type Id, newId } from '@mcp-hub/db-core';
import type { z } from 'zod';
import type { variantList } from './experiment-inputs.ts';

export type GivenVariants = z.output<typeof variantList>;

/** What the rows of ab_variants hold, in the order of their positions; those that are known under their ids. The first is the control where none is named. */
export function variantRows(given: GivenVariants, known: ReadonlyMap<string, Id<'Variant'>> = new Map()) {
  const namesControl = given.some(({ isControl }) => isControl);
  return given.map(({ key, isControl = false, modelVersionId, description }, position) => ({
    id: known.get(key) ?? newId<'Variant'>(),
    key,
    isControl: namesControl ? isControl : position === 0,
    modelVersionId: (modelVersionId ?? null) as Id<'ModelVersion'> | null,
    description: description ?? null,
  }));
}

/** Equal ones where none is given. */
export const weightsOf = (given: GivenVariants): readonly number[] =>
  given.map(({ weight }) => weight ?? 1 / given.length);
