import { z } from 'zod';

// What the statement of a binary evaluation answers with. Sums of weights where rows have weights.

const real = z.number();
const nullable = z.number().nullable();

/** Rows of one class whose scores are next to each other, in one bin and on one side of the threshold. */
const PartSums = z.object({
  y: z.union([z.literal(1), z.literal(0)]),
  /** Place of its first row among those of its class, from 1 on; of rows that do not count 0. */
  a: real,
  n: real,
  w: real,
  /** The lowest score, negated. */
  last: real,
  /** Negative rows at least as high as the part before it, and what the parts' own are higher by; see foundParts. */
  before: real,
  others: real,
  squares: real,
  ranks: real,
  middles: real,
  distinct_scores: real,
  precision_sum: real,
  score_sum: real,
  brier_sum: real,
  log_sum: real,
});
export type PartSums = z.output<typeof PartSums>;

/** What rows of both classes with the same score change; see tieSums. */
const TieSums = z.object({ scores: real, pairs: z.string(), of_positives: z.string(), of_negatives: z.string() });

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
  ties: TieSums,
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
