import { z } from 'zod';

// What the statement of a binary evaluation answers with. Sums of weights where rows have weights.

const real = z.number();
const nullable = z.number().nullable();

/** Rows of one class in a part of the curve and a bin of scores. */
const PartSums = z.object({
  y: z.union([z.literal(1), z.literal(0)]),
  bin: real,
  n: real,
  w: real,
  predicted_n: real,
  predicted_w: real,
  missed_w: real,
  distinct_scores: real,
  /** Rows of the other class at least as high and above, over the rows; exact without weights. */
  middles: z.string(),
  squares: z.string(),
  precision_sum: real,
  score_sum: real,
  brier_sum: real,
  log_sum: real,
});
export type PartSums = z.output<typeof PartSums>;

/** Of a negated score, so that they ascend. */
const Candidate = z.object({ u: real, tp: real, fp: real });
export type Candidate = z.output<typeof Candidate>;

const Tied = z.object({
  ...Candidate.shape,
  is_f1: z.boolean(),
  is_youden: z.boolean(),
  is_cost: z.boolean(),
  f1_ties: real,
  youden_ties: real,
  cost_ties: real,
  f1_at: nullable,
  youden_at: nullable,
  cost_at: nullable,
});
type Tied = z.output<typeof Tied>;

const none = <Item>(items: Item[] | null): readonly Item[] => items ?? [];

export const BinarySummary = z.object({
  slice: z.string(),
  n: z.coerce.number(),
  bad_labels: z.coerce.number(),
  bad_scores: z.coerce.number(),
  bad_weights: z.coerce.number(),
  /** Whether all scores are from 0 to 1. */
  probable: z.boolean(),
  positives: real,
  negatives: real,
  parts: z.array(PartSums).nullable().transform(none),
  candidates: z
    .array(Candidate)
    .nullish()
    .transform((items) => items ?? []),
  tied: z
    .array(Tied)
    .nullish()
    .transform((items) => items ?? []),
});
export type BinarySummary = z.output<typeof BinarySummary>;
