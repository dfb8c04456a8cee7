import { ChartError } from '../errors.ts';
import { requireFinite } from '../require-rows.ts';
import { type LiftUnit, signedText } from '../signed-text.ts';

/** Lower and upper bound; null where a side is not bounded, which is drawn to the edge of the plot. */
export type Bounds = readonly [lower: number | null, upper: number | null];

/** Refuses bounds that are not finite or in the wrong order. */
export function requireBounds(bounds: Bounds | null): void {
  const [lower, upper] = bounds ?? [null, null];
  if (lower !== null) requireFinite('A lower bound', lower);
  if (upper !== null) requireFinite('An upper bound', upper);
  if (lower === null || upper === null || lower <= upper) return;
  throw new ChartError('invalid_input', 'The lower bound must not exceed the upper one in each row.');
}

/** Such as `-1.2 % to +3.4 %`. */
export function boundsText([lower, upper]: Bounds, unit: LiftUnit): string {
  return `${lower === null ? '-∞' : signedText(lower, unit)} to ${upper === null ? '+∞' : signedText(upper, unit)}`;
}

/** What the intervals of rows mean; undefined where there are none. */
export function intervalNote(
  rows: readonly { readonly interval: Bounds | null; readonly alwaysValid: Bounds | null }[],
): string | undefined {
  const fixed = rows.some(({ interval }) => interval !== null);
  const always = rows.some(({ alwaysValid }) => alwaysValid !== null);
  if (fixed && always) return 'Pale: interval that holds at every look. Dark: one that holds for one look alone.';
  return fixed ? 'Intervals hold for one look alone.' : always ? 'Intervals hold at every look.' : undefined;
}
