import { expect } from 'vitest';

/** Holds two results to be the same but for the last digits of their numbers, and the order of what has a key. */
export function expectNear(got: unknown, wanted: unknown, tolerance: number, path = ''): void {
  if (typeof got === 'number' && typeof wanted === 'number') {
    const isNear = Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted)) || Object.is(got, wanted);
    if (!isNear) expect.fail(`${path}: got ${got}, wanted ${wanted}`);
  } else if (typeof got === 'object' && typeof wanted === 'object' && got !== null && wanted !== null) {
    expect(Object.keys(got).sort(), path).toEqual(Object.keys(wanted).sort());
    const others = new Map(Object.entries(inOrder(wanted)));
    for (const [key, value] of Object.entries(inOrder(got)))
      expectNear(value, others.get(key), tolerance, `${path}.${key}`);
  } else expect(got, path).toEqual(wanted);
}

/** Slices come in the order of the rows from arrays, and in any from SQL. */
function inOrder(value: object): object {
  if (!Array.isArray(value)) return value;
  const keyOf = (item: unknown) =>
    typeof item === 'object' && item !== null && 'sliceValue' in item ? String(item.sliceValue) : '';
  return value.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}
