import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { binaryOptions } from '../evaluations/evaluate-binary.ts';
import type { CellRow, EvaluationParts, MetricRow } from '../evaluations/evaluation-parts.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from '../evaluations/store-evaluation.ts';
import { namesOneVersion, ONE_VERSION } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { summaryBins, summaryCells, summaryMetrics } from './binary-query-metrics.ts';
import { type BinaryStatement, binaryStatement } from './binary-statement.ts';
import { BinarySummary } from './binary-summary.ts';
import { measureSlices } from './measure-slices.ts';
import { anyColumns, expression, labelBit, queryOptions, refuseRows } from './query-rows.ts';
import { summaryThresholds } from './summary-thresholds.ts';

const binaryQuery = {
  ...queryOptions,
  ...binaryOptions,
  columns: z.strictObject({
    /** Boolean, or 0 and 1; with `positiveLabel` anything that has a text. */
    label: expression,
    /** Higher for positive. */
    score: expression,
    ...anyColumns,
  }),
  /** The label of the positive class, where labels are names. */
  positiveLabel: z.union([z.string(), z.number()]).optional(),
};

export const MeasureBinaryQueryInput = z.strictObject(binaryQuery);
export type MeasureBinaryQueryInput = Readonly<z.input<typeof MeasureBinaryQueryInput>>;

export const EvaluateBinaryQueryInput = z
  .strictObject({ ...evaluationFacts, ...binaryQuery })
  .refine(namesOneVersion, ONE_VERSION);
export type EvaluateBinaryQueryInput = Readonly<z.input<typeof EvaluateBinaryQueryInput>>;

/**
 * Evaluates a binary classifier whose labels and scores lie in the database and stores it: what evaluateBinary makes of the
 * same rows, to 1e-12, without loading them. One statement for all rows and one for each sliced feature, then two round trips.
 *
 * Each statement reads the subquery once and sorts its scores, so the rows should not change between them: run it in a
 * repeatable read transaction where they may. No intervals by the bootstrap. Takes no lock on the rows.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for labels
 *   other than 0 and 1 and for scores and weights that are missing or not finite, with their `count`; `conflict` where the
 *   idempotency key came with other rows or facts before.
 */
export async function evaluateBinaryQuery(tx: TenantTx, input: EvaluateBinaryQueryInput): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateBinaryQueryInput, input);
  return await storeEvaluation(tx, given, await binaryPartsOf(tx, given));
}

/** What evaluateBinaryQuery stores, without storing it. */
export async function measureBinaryQuery(tx: TenantTx, input: MeasureBinaryQueryInput): Promise<EvaluationParts> {
  return await binaryPartsOf(tx, parseInput(MeasureBinaryQueryInput, input));
}

async function binaryPartsOf(tx: TenantTx, given: z.output<typeof MeasureBinaryQueryInput>): Promise<EvaluationParts> {
  const { threshold = 0.5, costs = { falsePositive: 1, falseNegative: 1 }, bins = 10, alpha = 0.05 } = given;
  const { thresholds = EVALUATION_LIMITS.thresholds, minSliceRows = 30 } = given;
  const { label, score, weight, slices = {} } = given.columns;
  const statement: BinaryStatement = {
    ...{ rows: given.rows, label: labelBit(label, given.positiveLabel), score, weight, slice: undefined, minRows: 0 },
    ...{ threshold, costs, bins, thresholds, tiedThresholds: EVALUATION_LIMITS.tiedThresholds },
  };
  const [summary = emptySummary] = (await summariesOf(tx, statement)).summaries;
  refuseRows('label', 'label', summary.bad_labels);
  refuseRows('score', 'score', summary.bad_scores);
  refuseRows('weight', 'weight', summary.bad_weights);
  const options = { threshold, costs, bins, alpha, isWeighted: weight !== undefined, probabilities: summary.probable };
  const metrics: MetricRow[] = [];
  const cells: CellRow[] = [];
  const add = (part: BinarySummary, sliceFeature: string) => {
    const { n, slice: sliceValue } = part;
    const of = { sliceFeature, sliceValue };
    for (const value of summaryMetrics(part, options)) {
      metrics.push({ ...value, ...of, n, weight: part.positives + part.negatives });
    }
    for (const cell of summaryCells(part, threshold)) cells.push({ ...cell, ...of });
  };
  add(summary, '');
  const sliced = await measureSlices(
    { slices, minSliceRows },
    (slice, minRows) => summariesOf(tx, { ...statement, thresholds: 0, slice, minRows }),
    add,
  );
  const analysis = summaryThresholds(summary, costs, thresholds);
  return {
    ...{ task: 'binary', n: summary.n, weight: summary.positives + summary.negatives, confidence: 1 - alpha },
    parameters: { threshold, costs, ...analysis.parameters, ...sliced },
    ...{ metrics, cells, thresholds: analysis.thresholds },
    bins: summary.probable ? summaryBins(summary, bins) : [],
  };
}

async function summariesOf(tx: TenantTx, statement: BinaryStatement) {
  const rows = await tx.execute<{ slices: string; slice: string | null }>(binaryStatement(statement));
  return {
    /** With those that have too few rows. */
    slices: Number(rows[0]?.slices ?? 0),
    summaries: rows.flatMap((row) => (row.slice === null ? [] : [BinarySummary.parse(row)])),
  };
}

const emptySummary: BinarySummary = {
  ...{ slice: '', n: 0, bad_labels: 0, bad_scores: 0, bad_weights: 0, probable: true, positives: 0, negatives: 0 },
  ...{ parts: [], candidates: [], tied: [], ties: { scores: 0, pairs: '0', of_positives: '0', of_negatives: '0' } },
};
