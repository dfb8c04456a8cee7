/** The compensated sum (Neumaier 1974) of what each item has, in their order. */
export function totalOf<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let [total, lost] = [0, 0];
  for (const item of items) {
    const value = of(item);
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return Number.isFinite(lost) ? total + lost : total;
}
