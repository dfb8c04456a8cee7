/**
 * The lowest uuid of a millisecond: `id >= idFloor(from) and id < idFloor(to)` are the v7 ids of a window of time. It is no
 * v7 id itself, so that none lies below it. Times before 1970 have none: theirs is the lowest of all.
 */
export function idFloor(at: Date): string {
  const hex = Math.max(at.getTime(), 0).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
