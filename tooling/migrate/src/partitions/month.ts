/** A month of UTC: what one partition holds. */
export interface Month {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

/** The month of a time, or the one so many months after it. */
export function monthOf(at: Date, after = 0): Month {
  const start = (months: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months));
  return { from: start(after), to: start(after + 1) };
}

/** The lowest uuid of a millisecond, below every v7 id that carries it: a partition's bound. */
export function idFloor(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** `predictions_2026_05`. */
export function partitionName(table: string, { from }: Month): string {
  return `${table}_${from.toISOString().slice(0, 7).replace('-', '_')}`;
}

/** What stands in the place of all partitions that were dropped; its upper bound says up to when. */
export function pastPartitionName(table: string): string {
  return `${table}_past`;
}
