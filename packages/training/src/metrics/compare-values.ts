/** As PostgreSQL compares float8: NaN above all else and equal to itself, -0 and 0 equal. */
export function compareValues(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  return left === right ? 0 : Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}
