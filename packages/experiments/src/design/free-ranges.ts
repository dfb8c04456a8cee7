/** A part of a layer's hash, `start <= place < end`. */
export interface LayerRange {
  readonly start: number;
  readonly end: number;
}

/** What of [0, 1) none of the ranges has, in order. They may overlap and come in any order. */
export function freeRanges(taken: readonly LayerRange[]): readonly LayerRange[] {
  const free: LayerRange[] = [];
  let at = 0;
  for (const { start, end } of taken.toSorted((a, b) => a.start - b.start)) {
    if (start > at) free.push({ start: at, end: start });
    at = Math.max(at, end);
  }
  return at < 1 ? [...free, { start: at, end: 1 }] : free;
}
