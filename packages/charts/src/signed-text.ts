import { numberText } from './number-text.ts';

/** How a difference is counted: as a share of the control's value, or in the metric's own unit. */
export type LiftUnit = 'relative' | 'absolute';

/** A difference with its sign, such as +2.3 % or -0.012. */
export function signedText(value: number, unit: LiftUnit): string {
  const size = Math.abs(value);
  const text = unit === 'relative' ? `${(100 * size).toFixed(1)} %` : numberText(size);
  return value < 0 ? `-${text}` : `+${text}`;
}

/** The format of an axis of such differences. */
export const signedFormat = (unit: LiftUnit): string => (unit === 'relative' ? '+~%' : '+,~r');
