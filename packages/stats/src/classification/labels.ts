import { StatsError } from '../errors.ts';

/** Labels of a binary outcome: 1 or true for positive, 0 or false for negative. */
export type BinaryLabels = ArrayLike<number | boolean>;

/**
 * Positive rows as 1, others as 0; the given array where it is so already. Throws `invalid_input` for any label that is not
 * 0, 1, false or true.
 */
export function binaryLabels(name: string, labels: BinaryLabels): Uint8Array {
  if (labels instanceof Uint8Array) return checkedBits(name, labels);
  const result = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === 1 || label === true) result[i] = 1;
    else if (label !== 0 && label !== false) throw notALabel(name, i);
  }
  return result;
}

function checkedBits(name: string, labels: Uint8Array): Uint8Array {
  for (let i = 0; i < labels.length; i++) if ((labels[i] ?? 0) > 1) throw notALabel(name, i);
  return labels;
}

function notALabel(field: string, index: number): StatsError {
  const message = `${field} must hold 0 and 1 only, and ${field}[${index}] is neither. Compare with the positive class first.`;
  return new StatsError(message, { field, index });
}
