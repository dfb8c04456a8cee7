const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** A count or weight with thousands separated, such as 1,234 or 1,234.5. */
export function countText(value: number): string {
  return counts.format(value);
}

/** A number to four significant digits, such as 0.8123 or 1.234e-7. */
export function numberText(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : value > 0 ? 'Infinity' : String(value);
}

/** A share of 1 in percent with one digit, such as 12.3 %. */
export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Such as `1 row` and `2 rows`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : plural}`;
}
