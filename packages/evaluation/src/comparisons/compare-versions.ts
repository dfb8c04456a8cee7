import { oncePerKey, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import {
  column,
  datasetInput,
  idempotencyKey,
  metricName,
  namesOneVersion,
  ONE_VERSION,
  openShare,
  resamples,
  seed,
  sliceName,
  splitName,
  versionSubject,
} from '../inputs.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import { compareOutputs } from './compare-outputs.ts';
import { type Comparison, getComparison } from './comparisons.ts';
import { comparisonTests, familyCorrections } from './schema.ts';
import { storeComparison } from './store-comparison.ts';

const comparedModel = z
  .strictObject({
    ...versionSubject,
    /** One value a row: predicted classes for McNemar's test, else scores or predicted numbers. */
    outputs: column<string | number | boolean>(),
  })
  .refine(namesOneVersion, ONE_VERSION);

export const CompareVersionsInput = z.strictObject({
  baseline: comparedModel,
  candidate: comparedModel,
  /** What is true of each row, the same for both. */
  labels: column<string | number | boolean>(),
  dataset: datasetInput,
  /** Default `test`. */
  split: splitName.optional(),
  slice: sliceName.optional(),
  test: z.enum(comparisonTests),
  /**
   * Of paired_t `mae` or `brier`, default `mae`; of paired_bootstrap one of a binary classifier or of a regression, default
   * `roc_auc`. McNemar's tests are of accuracy, DeLong's of roc_auc.
   */
  metric: metricName.optional(),
  /** Error rate of the decision and, as 1 - alpha, level of the interval. Default 0.05. */
  alpha: openShare.optional(),
  /** In the metric's unit: within it two models are as good as each other. Default 0. */
  margin: z.number().min(0).optional(),
  /** Of metrics of predicted classes by the bootstrap. Default 0.5. */
  threshold: z.number().optional(),
  /** What paired_bootstrap draws by. */
  bootstrap: z.strictObject({ seed, resamples: resamples.optional() }).optional(),
  /** Comparisons that are one question: their p values are corrected together, anew with each one that comes. */
  family: z.strictObject({ name: metricName, correction: z.enum(familyCorrections).optional() }).optional(),
  /** One for each comparison that the client wants: a repeated call with it makes no other and gives the first. */
  idempotencyKey,
});
export type CompareVersionsInput = Readonly<z.input<typeof CompareVersionsInput>>;

/**
 * Compares a candidate with a baseline on the same rows by one test, and keeps what comes out: statistic, p, difference
 * (candidate less baseline) with its interval, adjusted p and decision (see decideComparison).
 *
 * In a family all members' adjusted p and decisions are computed anew, under the lock of the family's row. Announces
 * `comparison.recorded`. Computes first, then three round trips.
 *
 * @throws DomainError `not_found` without one of the versions; `conflict` where the family has another correction, or the
 *   idempotency key came with other input before; `invalid_input` for columns of different lengths and values that the test
 *   does not take.
 */
export async function compareVersions(tx: TenantTx, input: CompareVersionsInput): Promise<Comparison> {
  const given = parseInput(CompareVersionsInput, input);
  const { test, metric, alpha = 0.05, threshold = 0.5, bootstrap } = given;
  const rows = { labels: given.labels, baseline: given.baseline.outputs, candidate: given.candidate.outputs };
  const found = withStatsErrors(() => compareOutputs(rows, { test, metric, alpha, threshold, bootstrap }));
  const { outputs: _, ...baseline } = given.baseline;
  const { outputs: __, ...candidate } = given.candidate;
  const facts = {
    ...{ baseline, candidate, dataset: given.dataset, split: given.split ?? 'test', slice: given.slice ?? '' },
    ...{ test, alpha, margin: given.margin ?? 0, family: given.family },
  };
  const call = { scope: 'evaluation.compareVersions', key: given.idempotencyKey, request: { ...facts, found } };
  const comparisonId = await oncePerKey<string>(tx, call, async () => await storeComparison(tx, facts, found));
  return await getComparison(tx, { comparisonId });
}
