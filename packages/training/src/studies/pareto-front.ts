/**
 * Which of the points no other dominates, by their places, ascending: none is at most as large in every coordinate and
 * smaller in one. Equal points are all there. Points have one length and hold no NaN.
 *
 * In the order of their coordinates, a point is dominated by none that comes later, so that each is held against the front
 * so far alone: with two coordinates against its last point, with more against all of it.
 */
export function paretoFront(points: readonly (readonly number[])[]): readonly number[] {
  const inOrder = points.map((_, place) => place).sort((a, b) => compare(points[a], points[b]) || a - b);
  const front: number[] = [];
  for (const place of inOrder) {
    const point = points[place] ?? [];
    const rivals = point.length <= 2 ? front.slice(-1) : front;
    if (!rivals.some((rival) => dominates(points[rival] ?? [], point))) front.push(place);
  }
  return front.sort((a, b) => a - b);
}

function compare(one: readonly number[] = [], other: readonly number[] = []): number {
  for (const [axis, value] of one.entries()) {
    const rival = other[axis] ?? Number.NaN;
    if (value !== rival) return value < rival ? -1 : 1;
  }
  return 0;
}

const dominates = (one: readonly number[], other: readonly number[]) =>
  one.every((value, axis) => value <= (other[axis] ?? Number.NaN)) &&
  one.some((value, axis) => value < (other[axis] ?? Number.NaN));
