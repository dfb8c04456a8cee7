import { StatsError } from '../errors.ts';
import { requireSameLength, requireWeights } from '../inputs.ts';

/** A class: a number or a name. */
export type Label = number | string;

/** Counts, or weights, of rows by true and predicted class. */
export interface ConfusionMatrix<L extends Label = Label> {
  /** Numbers ascending, then names by code unit. */
  readonly labels: readonly L[];
  /** `cells[i][j]`: rows of the class `labels[i]` that were predicted as `labels[j]`. */
  readonly cells: readonly (readonly number[])[];
}

export interface ConfusionInput<L extends Label> {
  readonly actual: ArrayLike<L>;
  readonly predicted: ArrayLike<L>;
  readonly weights?: ArrayLike<number>;
  /** All classes, where some may not occur; their order is kept. Default: those that occur. */
  readonly labels?: readonly L[];
}

/** The confusion matrix of predictions. Throws `invalid_input` for a class that is not in `labels`. */
export function confusionMatrix<L extends Label>(input: ConfusionInput<L>): ConfusionMatrix<L> {
  const { actual, predicted, weights } = input;
  requireSameLength('actual', actual, 'predicted', predicted);
  if (weights !== undefined) requireWeights('weights', weights, actual.length);
  const labels = input.labels ?? [...new Set([...Array.from(actual), ...Array.from(predicted)])].sort(compareLabels);
  const indexes = new Map(labels.map((label, i) => [label, i]));
  const cells = labels.map(() => labels.map(() => 0));
  for (let k = 0; k < actual.length; k++) {
    const row = cells[indexOf(indexes, actual[k])];
    const j = indexOf(indexes, predicted[k]);
    if (row !== undefined) row[j] = (row[j] ?? 0) + (weights === undefined ? 1 : (weights[k] ?? 0));
  }
  return { labels, cells };
}

function indexOf(indexes: ReadonlyMap<Label, number>, label: Label | undefined): number {
  const index = label === undefined ? undefined : indexes.get(label);
  if (index === undefined) throw new StatsError('A class occurs that is not among labels. Add it there.');
  return index;
}

function compareLabels(a: Label, b: Label): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
