import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import type { SQLWrapper } from 'drizzle-orm';
import { z } from 'zod';
import { binaryOptions } from '../evaluations/evaluate-binary.ts';
import type { CellRow, EvaluationParts, MetricRow } from '../evaluations/evaluation-parts.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from '../evaluations/store-evaluation.ts';
import { namesOneVersion, ONE_VERSION, openShare } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { checkedLabel } from '../tasks/split-rows.ts';
import { summaryBins, summaryCells, summaryMetrics } from './binary-query-metrics.ts';
import { type BinaryStatement, binaryStatement } from './binary-statement.ts';
import { BinarySummary } from './binary-summary.ts';
import { expression, labelBit, refuseRows, sliceColumns, sliceText, subquery } from './query-rows.ts';
import { summaryThresholds } from './summary-thresholds.ts';

/** How rows that stay in the database are measured; spread into the schema of an input. */
const queryOptions = {
  /** Rows that a slice needs. Default 30. */
  minSliceRows: z.int().min(1).optional(),
  /** Error rate of the intervals, whose level is 1 - alpha. Default 0.05. */
  alpha: openShare.optional(),
};

const binaryQuery = {
  ...queryOptions,
  ...binaryOptions,
  /** A Drizzle subquery, read inside the tenant's transaction: `tx.select({ … }).from(…).where(…).as('rows')`. */
  rows: subquery,
  columns: z.strictObject({
    /** Boolean, or 0 and 1; with `positiveLabel` anything that has a text. */
    label: expression,
    /** Higher for positive. */
    score: expression,
    weight: expression.optional(),
    /** By feature: each value with enough rows is a slice. NULL is the slice "". */
    slices: sliceColumns.optional(),
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
  refuseRows('label', summary.bad_labels);
  refuseRows('score', summary.bad_scores);
  refuseRows('weight', summary.bad_weights);
  const options = { costs, bins, alpha, isWeighted: weight !== undefined, probabilities: summary.probable };
  const metrics: MetricRow[] = [];
  const cells: CellRow[] = [];
  const add = (part: BinarySummary, sliceFeature: string) => {
    const { n, slice: sliceValue } = part;
    const of = { sliceFeature, sliceValue };
    for (const value of summaryMetrics(part, options)) {
      metrics.push({ ...value, ...of, n, weight: part.positives + part.negatives });
    }
    for (const cell of summaryCells(part)) cells.push({ ...cell, ...of });
  };
  add(summary, '');
  let [leftOut, count] = [0, 0];
  for (const [feature, column] of Object.entries(slices)) {
    const found = await summariesOf(tx, { ...statement, thresholds: 0, ...sliceBy(column, minSliceRows) });
    leftOut += found.slices - found.summaries.length;
    count += found.summaries.length;
    if (count > EVALUATION_LIMITS.slices) {
      throw new DomainError('invalid_input', `slices must make at most ${EVALUATION_LIMITS.slices} slices.`, {
        details: { field: 'columns.slices', limit: EVALUATION_LIMITS.slices, got: count },
      });
    }
    for (const part of found.summaries) {
      checkedLabel(part.slice, 'slices');
      add(part, feature);
    }
  }
  const analysis = summaryThresholds(summary, costs, thresholds);
  const sliced = Object.keys(slices).length === 0 ? {} : { minSliceRows, slicesLeftOut: leftOut };
  return {
    ...{ task: 'binary', n: summary.n, weight: summary.positives + summary.negatives, confidence: 1 - alpha },
    parameters: { threshold, costs, ...analysis.parameters, ...sliced },
    ...{ metrics, cells, thresholds: analysis.thresholds },
    bins: summary.probable ? summaryBins(summary, bins) : [],
  };
}

const sliceBy = (column: SQLWrapper, minRows: number) => ({ slice: sliceText(column), minRows });

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
  ...{ parts: [], candidates: [], tied: [] },
};
