import { nameInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';
import { ParamValue } from './search-space.ts';

const RandomOptions = z.strictObject({ kind: z.literal('random') }).readonly();

const points = z.array(ParamValue).min(1).max(TRAINING_LIMITS.gridPoints).readonly();

/** Each combination once: cell n is trial n's. */
const GridOptions = z
  .strictObject({
    kind: z.literal('grid'),
    /** The values that a parameter takes, in this order; without them all of its choices, or all steps of its range. */
    points: z.record(nameInput(TRAINING_LIMITS.keyLength), points).readonly().optional(),
  })
  .readonly();
export type GridOptions = z.infer<typeof GridOptions>;

const TpeOptions = z
  .strictObject({
    kind: z.literal('tpe'),
    /** Trials that have to end before their outcome is looked at; until then parameters are drawn at random. */
    startupTrials: z.int().min(0).max(TRAINING_LIMITS.tpeHistory).optional(),
    /** Drawn from what the best trials have in common; the most promising one is taken. */
    candidates: z.int().min(1).max(1_000).optional(),
    /** The share of trials that count as the best ones, rounded up. */
    gamma: z.number().gt(0).lt(1).optional(),
    /** Whether parameters that are active together are drawn together, so that it is seen what suits what. */
    multivariate: z.boolean().optional(),
  })
  .readonly();
export type TpeOptions = z.infer<typeof TpeOptions>;

const byKind = z.discriminatedUnion('kind', [RandomOptions, GridOptions, TpeOptions]);

/** Looked at first, so that a kind that is not known is told what the kinds are. */
const anySampler: z.ZodType<unknown> = z.looseObject({
  kind: z.enum(['random', 'grid', 'tpe']),
  points: z.unknown().optional(),
  startupTrials: z.unknown().optional(),
  candidates: z.unknown().optional(),
  gamma: z.unknown().optional(),
});

/** How a study's parameters are chosen. Each kind gives the same parameters for the same seed, number and history. */
export const SamplerOptions = anySampler.pipe(byKind as z.ZodType<SamplerOptions, unknown>) as z.ZodType<
  SamplerOptions,
  SamplerOptions
>;
export type SamplerOptions = z.infer<typeof byKind>;
