/** A number as a sentence has it: whole numbers with separators, others to four digits. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(2);
}

/** A share as percent, to three digits. */
export function shareText(share: number): string {
  return `${numberText(Number((share * 100).toPrecision(3)))} %`;
}
