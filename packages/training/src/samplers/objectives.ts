import { nameInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';

const Objective = z
  .strictObject({
    name: nameInput(TRAINING_LIMITS.keyLength),
    direction: z.enum(['minimize', 'maximize']),
  })
  .readonly();
export type Objective = z.infer<typeof Objective>;

/** What a study's trials are told values for, in this order; each name once. */
export const Objectives = z
  .array(Objective)
  .min(1)
  .max(TRAINING_LIMITS.objectives)
  .refine(
    (objectives) => new Set(objectives.map(({ name }) => name)).size === objectives.length,
    'must not hold a name twice: rename one',
  )
  .readonly();
export type Objectives = z.infer<typeof Objectives>;
