import type { Database } from '@mcp-hub/db-core';

/** What came of one computation, for all of a process that wait for it. It never rejects: nobody may be waiting. */
export type FlightEnd<Outcome> =
  | { readonly kind: 'landed'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Its leader was told to stop, which is none of the others' concern: one of them begins anew. */
  | { readonly kind: 'left'; readonly error: unknown };

const flightsOf = new WeakMap<Database, Map<string, Promise<FlightEnd<unknown>>>>();

/**
 * Joins what the process has under way for `id`, or leads it. One pool's calls for the same thing then take one connection
 * and one place in the queue of the processes.
 */
export function joinFlight<Outcome>(
  db: Database,
  id: string,
  signal: AbortSignal | undefined,
  lead: () => Promise<Outcome>,
): { readonly leads: boolean; readonly end: Promise<FlightEnd<Outcome>> } {
  const flights = flightsOf.get(db) ?? new Map<string, Promise<FlightEnd<unknown>>>();
  flightsOf.set(db, flights);
  const underWay = flights.get(id);
  if (underWay !== undefined) return { leads: false, end: underWay as Promise<FlightEnd<Outcome>> };
  const end = lead()
    .then(
      (outcome) => ({ kind: 'landed', outcome }) as const,
      (error: unknown) => ({ kind: signal?.aborted === true ? 'left' : 'failed', error }) as const,
    )
    .finally(() => flights.delete(id));
  flights.set(id, end);
  return { leads: true, end };
}
