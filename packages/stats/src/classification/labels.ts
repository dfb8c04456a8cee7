import { StatsError } from '../errors.ts';

/** Labels of a binary outcome: 1 or true for positive, 0 or false for negative. */
export type BinaryLabels = ArrayLike<number | boolean>;

/** Positive rows as 1, others as 0. Throws `invalid_input` for any label that is not 0, 1, false or true. */
export function binaryLabels(name: string, labels: BinaryLabels): Uint8Array {
  const result = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === 1 || label === true) result[i] = 1;
    else if (label !== 0 && label !== false) {
      throw new StatsError(`${name} must hold 0 and 1 only. Compare with the positive class first.`);
    }
  }
  return result;
}
