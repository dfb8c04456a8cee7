type Losses = readonly number[];

/**
 * The indexes of `points` by non-dominated fronts, the first one first; smaller is better. Within a front by crowding
 * distance, the ends of the front and the points that stand alone first. Both are those of NSGA-II (Deb et al. 2002).
 *
 * Among equals the lower index is first; points that hold NaN are last. The cost grows with the square of their number.
 */
export function orderByFronts(points: readonly Losses[]): readonly number[] {
  const numbers = points.flatMap((point, index) => (point.some(Number.isNaN) ? [] : [index]));
  const nots = points.flatMap((point, index) => (point.some(Number.isNaN) ? [index] : []));
  const dominated = numbers.map((a) => numbers.filter((b) => dominates(points[a], points[b])));
  const dominators = new Map(numbers.map((index) => [index, 0]));
  for (const index of dominated.flat()) dominators.set(index, (dominators.get(index) ?? 0) + 1);
  const dominatedBy = new Map(numbers.map((index, place) => [index, dominated[place] ?? []]));

  const order: number[] = [];
  let front = numbers.filter((index) => dominators.get(index) === 0);
  while (front.length > 0) {
    order.push(...byCrowding(points, front));
    const next: number[] = [];
    for (const index of front.flatMap((at) => dominatedBy.get(at) ?? [])) {
      const left = (dominators.get(index) ?? 0) - 1;
      dominators.set(index, left);
      if (left === 0) next.push(index);
    }
    front = next.sort((a, b) => a - b);
  }
  return [...order, ...nots];
}

function dominates(a: Losses = [], b: Losses = []): boolean {
  let isBetter = false;
  for (const [index, loss] of a.entries()) {
    const other = b[index] ?? loss;
    if (loss > other) return false;
    if (loss < other) isBetter = true;
  }
  return isBetter;
}

/** By how far the neighbours of each point are from one another, added over all objectives as shares of their range. */
function byCrowding(points: readonly Losses[], front: readonly number[]): readonly number[] {
  const distances = new Map(front.map((index) => [index, 0]));
  const objectives = points[front[0] ?? 0]?.length ?? 0;
  for (let objective = 0; objective < objectives; objective += 1) {
    const loss = (index: number | undefined) => (index === undefined ? undefined : points[index]?.[objective]) ?? 0;
    const order = front.toSorted((a, b) => compare(loss(a), loss(b)) || a - b);
    const range = loss(order.at(-1)) - loss(order[0]);
    for (const [place, index] of order.entries()) {
      const isEnd = place === 0 || place === order.length - 1;
      const gap = isEnd ? Number.POSITIVE_INFINITY : (loss(order[place + 1]) - loss(order[place - 1])) / range;
      // Where all are equal, or some infinite, this objective does not tell the points apart.
      distances.set(index, (distances.get(index) ?? 0) + (Number.isNaN(gap) ? 0 : gap));
    }
  }
  return front.toSorted((a, b) => compare(distances.get(b) ?? 0, distances.get(a) ?? 0) || a - b);
}

/** Without taking infinities from one another. */
const compare = (a: number, b: number) => (a < b ? -1 : Number(a > b));
