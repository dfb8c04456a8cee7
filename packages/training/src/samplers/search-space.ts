import { nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';
import { spaceFaults } from './space-faults.ts';

/** What a parameter of a trial can be. Numbers are finite, so that JSON keeps them. */
export const ParamValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type ParamValue = z.infer<typeof ParamValue>;

/** The parameters of one trial by name: the active ones, and no other. */
export type TrialParams = Readonly<Record<string, ParamValue>>;

const choice = z.union([textInput(TRAINING_LIMITS.paramValueLength), z.number(), z.boolean(), z.null()]);
const choices = z.array(choice).min(1).max(TRAINING_LIMITS.categoricalChoices).readonly();

/** The parameter is active where `param` is active and has one of the values of `in`. */
const Condition = z.strictObject({ param: nameInput(TRAINING_LIMITS.keyLength), in: choices }).readonly();

const float = z.strictObject({
  type: z.literal('float'),
  low: z.number(),
  high: z.number(),
  log: z.boolean().optional(),
  step: z.number().positive().optional(),
  when: Condition.optional(),
});

const int = z.strictObject({
  type: z.literal('int'),
  low: z.int(),
  high: z.int(),
  log: z.boolean().optional(),
  step: z.int().positive().optional(),
  when: Condition.optional(),
});

const categorical = z.strictObject({ type: z.literal('categorical'), choices, when: Condition.optional() });

const byType = z.discriminatedUnion('type', [float.readonly(), int.readonly(), categorical.readonly()]);

/** Looked at first, so that a type that is not known is told what the types are. */
const anyParam: z.ZodType<unknown> = z.looseObject({
  type: z.enum(['float', 'int', 'categorical']),
  low: z.unknown().optional(),
  high: z.unknown().optional(),
  log: z.unknown().optional(),
  step: z.unknown().optional(),
  choices: z.unknown().optional(),
  when: z.looseObject({ param: z.unknown().optional(), in: z.unknown().optional() }).optional(),
});

/**
 * One parameter: `float` and `int` from `low` to `high`, both among the values; with `step` only low + k · step, with
 * `log` evenly over the logarithm. `categorical` takes its choices as having no order.
 */
export const SearchSpaceParam = anyParam.pipe(byType as z.ZodType<SearchSpaceParam, unknown>) as z.ZodType<
  SearchSpaceParam,
  SearchSpaceParam
>;
export type SearchSpaceParam = z.infer<typeof byType>;
export type FloatParam = Extract<SearchSpaceParam, { type: 'float' }>;
export type IntParam = Extract<SearchSpaceParam, { type: 'int' }>;
export type CategoricalParam = Extract<SearchSpaceParam, { type: 'categorical' }>;

/**
 * What a study searches: its parameters by name.
 *
 * Refused: bounds the wrong way round, log from 0 or below or with a step, a step that does not divide the range,
 * choices given twice, a condition on a parameter or a value that is not there, conditions in a circle. A condition
 * may stand on a parameter that has one itself. The order of the names does not matter: JSON in PostgreSQL loses it.
 */
export const SearchSpace = z
  .record(nameInput(TRAINING_LIMITS.keyLength), SearchSpaceParam)
  .superRefine((space, context) => {
    for (const { path, rule } of spaceFaults(space))
      context.addIssue({ code: 'custom', path: [...path], message: rule });
  })
  .readonly();
export type SearchSpace = z.infer<typeof SearchSpace>;
