const MINUTE_MS = 60_000;

/** Milliseconds since 1970; `to` is not included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The window of a condition that is evaluated at a time: it ends with the last whole minute before, less the delay. */
export function windowAt(
  at: number,
  { windowMs, delayMs }: { readonly windowMs: number; readonly delayMs: number },
): Window {
  const to = Math.floor((at - delayMs) / MINUTE_MS) * MINUTE_MS;
  return { from: to - windowMs, to };
}

const grains = { day: 86_400_000, hour: 3_600_000, minute: MINUTE_MS } as const;
type Grain = keyof typeof grains;

/** The fewest days, hours and minutes that make up a window of whole minutes. */
export function piecesOf(
  { from, to }: Window,
  [grain, ...finer]: readonly Grain[] = ['day', 'hour', 'minute'],
): readonly (Window & { readonly grain: Grain })[] {
  if (grain === undefined || from >= to) return [];
  const length = grains[grain];
  const [low, high] = [Math.ceil(from / length) * length, Math.floor(to / length) * length];
  if (low >= high) return piecesOf({ from, to }, finer);
  return [
    ...piecesOf({ from, to: low }, finer),
    { grain, from: low, to: high },
    ...piecesOf({ from: high, to }, finer),
  ];
}
