/** The largest unit of which a span of time holds two or more, for the title of an axis. */
export function timeUnit(spanMs: number): { readonly name: string; readonly milliseconds: number } {
  const found = units.find(({ milliseconds }) => spanMs >= 2 * milliseconds);
  return found ?? { name: 'milliseconds', milliseconds: 1 };
}

const units = [
  { name: 'days', milliseconds: 86_400_000 },
  { name: 'hours', milliseconds: 3_600_000 },
  { name: 'minutes', milliseconds: 60_000 },
  { name: 'seconds', milliseconds: 1_000 },
] as const;
