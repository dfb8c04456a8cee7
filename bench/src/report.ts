/** A table for the terminal: the first column to the left, numbers to the right with three digits. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const heads = Object.keys(first);
  const cells = rows.map((row) => heads.map((head) => text(row[head])));
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  console.log(`\n${title}\n${line(heads)}`);
  for (const row of cells) console.log(line(row));
}

const text = (value: string | number | undefined) =>
  typeof value !== 'number' ? (value ?? '') : Number.isInteger(value) ? String(value) : value.toPrecision(3);
