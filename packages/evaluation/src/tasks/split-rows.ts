import { DomainError } from '@mcp-hub/db-core';
import { labelText } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';

/** A value of a feature; null and undefined are missing. */
export type SliceValue = string | number | boolean | null | undefined;

export interface RowSlice {
  readonly feature: string;
  readonly value: string;
  /** Ascending row numbers. */
  readonly numbers: Uint32Array;
}

/** The rows of each value of each feature that has at least `minRows`, and how many values have fewer. */
export function splitRows(
  slices: Readonly<Record<string, ArrayLike<SliceValue>>>,
  n: number,
  minRows: number,
): { readonly parts: readonly RowSlice[]; readonly leftOut: number } {
  const parts: RowSlice[] = [];
  let leftOut = 0;
  for (const [feature, values] of Object.entries(slices)) {
    if (values.length !== n) {
      throw new DomainError('invalid_input', 'slices must have one value a row for each feature.', {
        details: { field: 'slices' },
      });
    }
    const byValue = new Map<string, number[]>();
    for (let row = 0; row < n; row++) {
      const value = String(values[row] ?? '');
      const numbers = byValue.get(value);
      if (numbers === undefined) byValue.set(value, [row]);
      else numbers.push(row);
    }
    for (const [value, numbers] of byValue) {
      if (numbers.length < minRows) leftOut++;
      else parts.push({ feature, value: checkedLabel(value, 'slices'), numbers: Uint32Array.from(numbers) });
    }
  }
  return { parts, leftOut };
}

/** Text of a class or a slice as it can be stored. */
export function checkedLabel(text: string, field: string): string {
  if (labelText.safeParse(text).success) return text;
  const limit = EVALUATION_LIMITS.labelLength;
  throw new DomainError(
    'invalid_input',
    `${field} must hold values of at most ${limit} characters, without NUL characters or unpaired surrogates.`,
    { details: { field, limit } },
  );
}
