import { DomainError, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { type Label, multiclassReport } from '@mcp-hub/stats';
import { z } from 'zod';
import { column, namesOneVersion, ONE_VERSION } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { measureOptions, measureRows } from '../tasks/measure-rows.ts';
import { multiclassTask } from '../tasks/multiclass-task.ts';
import { checkedLabel } from '../tasks/split-rows.ts';
import { withStatsErrors } from '../with-stats-errors.ts';
import { evaluationFacts, type RecordedEvaluation, storeEvaluation } from './store-evaluation.ts';

const classLabel = z.union([z.string(), z.number()]);

export const EvaluateMulticlassInput = z
  .strictObject({
    ...evaluationFacts,
    ...measureOptions,
    labels: column<Label>(),
    /** Default: the class of the highest score. */
    predicted: column<Label>().optional(),
    /** One row of scores each, one score a class in the order of `classes`. */
    scores: column<ArrayLike<number>>().optional(),
    /** In the order that their scores, and the weighted kappas, have. Default: those that occur. */
    classes: z.array(classLabel).max(EVALUATION_LIMITS.classes).optional(),
    weights: column<number>().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION)
  .refine(({ predicted, scores }) => predicted !== undefined || scores !== undefined, 'must hold predicted or scores')
  .refine(({ scores, classes }) => scores === undefined || classes !== undefined, 'must hold classes beside scores');
export type EvaluateMulticlassInput = Readonly<z.input<typeof EvaluateMulticlassInput>>;

/**
 * Evaluates a classifier of any number of classes and stores it: metrics of all classes and of each, of all rows and of
 * slices, and the confusion matrix. Computes first, then two round trips.
 *
 * Announces `evaluation.recorded`. @throws DomainError `not_found` without the version or the run; `invalid_input` for
 *   columns of different lengths and classes that are not among `classes`; `conflict` where the idempotency key came with
 *   other rows or facts before.
 */
export async function evaluateMulticlass(tx: TenantTx, input: EvaluateMulticlassInput): Promise<RecordedEvaluation> {
  const given = parseInput(EvaluateMulticlassInput, input);
  const parts = withStatsErrors(() => {
    const { weights } = given;
    const classes = classesOf(given);
    const index = new Map(classes.map((label, at) => [label, at]));
    const actual = indexesOf(given.labels, index, 'labels');
    const scores = given.scores === undefined ? undefined : Array.from(given.scores);
    const predicted =
      given.predicted === undefined
        ? Uint32Array.from(multiclassReport({ actual, scores: scores ?? [] }).predicted)
        : indexesOf(given.predicted, index, 'predicted');
    const names = classes.map((label) => checkedLabel(String(label), 'classes'));
    if (scores?.some((row) => row.length !== names.length)) {
      throw new DomainError('invalid_input', 'scores must have one score a class in each row.', {
        details: { field: 'scores' },
      });
    }
    const measured = measureRows(multiclassTask(names), { actual, predicted, scores, weights }, given);
    const parameters = { classes: names, ...measured.parameters };
    return { ...measured, task: 'multiclass' as const, parameters, thresholds: [], bins: [] };
  });
  return await storeEvaluation(tx, given, parts);
}

function classesOf({ classes, labels, predicted }: z.output<typeof EvaluateMulticlassInput>): readonly Label[] {
  const found = classes ?? [...new Set([...Array.from(labels), ...Array.from(predicted ?? [])])].sort(byNumberThenName);
  const distinct = new Set(found.map(String)).size;
  if (found.length <= EVALUATION_LIMITS.classes && distinct === found.length) return found;
  throw new DomainError(
    'invalid_input',
    `classes must be at most ${EVALUATION_LIMITS.classes}, each with a name of its own.`,
    { details: { field: 'classes', limit: EVALUATION_LIMITS.classes } },
  );
}

function byNumberThenName(a: Label, b: Label): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}

function indexesOf(labels: ArrayLike<Label>, index: ReadonlyMap<Label, number>, field: string): Uint32Array {
  const indexes = new Uint32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    const at = label === undefined ? undefined : index.get(label);
    if (at === undefined) {
      throw new DomainError('invalid_input', `${field} holds a class that is not among classes. Add it there.`, {
        details: { field, index: row },
      });
    }
    indexes[row] = at;
  }
  return indexes;
}
