/** `from` has a foreign key to `to`. */
export interface TableReference {
  readonly from: string;
  readonly to: string;
}

export interface TableOrder {
  /** Parents first; those that are free of each other by name. */
  readonly order: readonly string[];
  /** References that close a cycle: they cannot be made together with their table. */
  readonly cyclic: readonly TableReference[];
}

/** Sorts tables so that each comes after those it refers to; references to itself or to tables not given do not count. */
export function orderTables(tables: readonly string[], references: readonly TableReference[]): TableOrder {
  const left = new Set([...tables].sort());
  let open = references.filter(({ from, to }) => from !== to && left.has(from) && left.has(to));
  const order: string[] = [];
  const cyclic: TableReference[] = [];
  while (left.size > 0) {
    const free = [...left].find((table) => !open.some(({ from }) => from === table));
    if (free === undefined) {
      // Only cycles are left (and what hangs on them): one reference goes, the rest may be an order again.
      const broken = open.find((reference) => reaches(open, reference.to, reference.from)) ?? open[0];
      if (broken === undefined) break;
      cyclic.push(broken);
      open = open.filter(({ from, to }) => !(from === broken.from && to === broken.to));
      continue;
    }
    left.delete(free);
    order.push(free);
    open = open.filter(({ to }) => to !== free);
  }
  return { order, cyclic };
}

function reaches(references: readonly TableReference[], start: string, goal: string): boolean {
  const seen = new Set<string>();
  const queue = [start];
  for (let table = queue.pop(); table !== undefined; table = queue.pop()) {
    if (table === goal) return true;
    if (seen.has(table)) continue;
    seen.add(table);
    for (const { from, to } of references) if (from === table) queue.push(to);
  }
  return false;
}
