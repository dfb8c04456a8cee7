/**
 * Which of the points no other dominates, by their places, ascending: none is at most as large in every coordinate and
 * smaller in one. Equal points are all there. Points have one length and hold no NaN.
 *
 * In the order of their coordinates, a point is dominated by none that comes later, so that each is held against the front
 * so far alone: with two coordinates against its last point, with more against all of it.
 */
export function paretoFront(points: readonly (readonly number[])[]): readonly number[] {
  const inOrder = points.map((_, place) => place).sort((a, b) => compare(points[a], points[b]) || a - b);
  const width = points[0]?.length ?? 0;
  const front: number[] = [];
  // The coordinates of the front, one point after the other: where no point is dominated, all pairs are looked at, and
  // arrays of arrays take three times as long.
  const coordinates = new Float64Array(points.length * width);
  for (const place of inOrder) {
    const point = points[place] ?? [];
    const first = width <= 2 ? Math.max(front.length - 1, 0) : 0;
    if (isDominated(point, coordinates, first * width, front.length * width)) continue;
    coordinates.set(point, front.length * width);
    front.push(place);
  }
  return front.sort((a, b) => a - b);
}

/** By one of the points that lie from `begin` to `end`, all of which come before it in the order. */
function isDominated(point: readonly number[], coordinates: Float64Array, begin: number, end: number): boolean {
  const width = point.length;
  for (let at = begin; at < end; at += width) {
    let axis = 0;
    let isBetter = false;
    for (; axis < width; axis += 1) {
      const rival = coordinates[at + axis] ?? Number.NaN;
      const value = point[axis] ?? Number.NaN;
      if (!(rival <= value)) break;
      if (rival < value) isBetter = true;
    }
    if (axis === width && isBetter) return true;
  }
  return false;
}

function compare(one: readonly number[] = [], other: readonly number[] = []): number {
  for (const [axis, value] of one.entries()) {
    const rival = other[axis] ?? Number.NaN;
    if (value !== rival) return value < rival ? -1 : 1;
  }
  return 0;
}
