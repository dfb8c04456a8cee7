import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One departure. Its id is the row's position in the file. */
export interface Flight {
  readonly id: number;
  /** Local time of departure. */
  readonly departure: Date;
  /** Minutes late on arrival; negative is early. */
  readonly delayMinutes: number;
  readonly distanceMiles: number;
  readonly origin: string;
}

/** Two airport groups that share the database and must not see each other. */
export const tenantAirports = {
  heartland: ['DFW', 'ORD', 'STL', 'DTW', 'MSP', 'DEN', 'IAH'],
  coast: ['ATL', 'LAX', 'EWR', 'SFO', 'LGA', 'BOS', 'SEA', 'MCO'],
} as const satisfies Record<string, readonly string[]>;

export type FlightTenant = keyof typeof tenantAirports;

/** January to March 2001, in order of departure; of vega-datasets, which takes them from the US Bureau of Transportation Statistics. */
export function loadFlights(): readonly Flight[] {
  const dataset = new URL('../data/flights-20k.json', import.meta.resolve('vega-datasets'));
  const rows = JSON.parse(readFileSync(fileURLToPath(dataset), 'utf8')) as readonly {
    readonly date: string;
    readonly delay: number;
    readonly distance: number;
    readonly origin: string;
  }[];
  return rows
    .map((row, id) => ({
      id,
      // As UTC, so that the same file gives the same features in every time zone.
      departure: new Date(`${row.date.replaceAll('/', '-').replace(' ', 'T')}:00Z`),
      delayMinutes: row.delay,
      distanceMiles: row.distance,
      origin: row.origin,
    }))
    .toSorted((a, b) => a.departure.getTime() - b.departure.getTime() || a.id - b.id);
}

export function flightsOf(flights: readonly Flight[], tenant: FlightTenant): readonly Flight[] {
  const airports: readonly string[] = tenantAirports[tenant];
  return flights.filter((flight) => airports.includes(flight.origin));
}
