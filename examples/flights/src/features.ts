import type { Flight } from './flights.ts';

/** Later than this on arrival is late. */
const LATE_MINUTES = 15;

export interface Example {
  readonly features: Float64Array;
  readonly late: boolean;
}

/** A named way to see a flight before it departs. */
export interface FeatureList {
  readonly names: readonly string[];
  /** Flights in order of departure. */
  of(flights: readonly Flight[]): readonly Example[];
}

const dayMs = 86_400_000;
const hourAngle = (flight: Flight) => (2 * Math.PI * (flight.departure.getTime() % dayMs)) / dayMs;

/** What a timetable knows. */
export const timetableFeatures: FeatureList = {
  names: ['hour_sin', 'hour_cos', 'thousand_miles'],
  of: (flights) =>
    flights.map((flight) => ({
      features: Float64Array.of(Math.sin(hourAngle(flight)), Math.cos(hourAngle(flight)), flight.distanceMiles / 1_000),
      late: flight.delayMinutes > LATE_MINUTES,
    })),
};

/**
 * The timetable, and how late the last departures of the airport were: an exponentially weighted mean in which the last
 * one counts `recentWeight`, above 0 and up to 1.
 */
export function recentDelayFeatures(recentWeight: number): FeatureList {
  return {
    names: [...timetableFeatures.names, 'recent_delay_hours'],
    of: (flights) => {
      const recent = new Map<string, number>();
      return timetableFeatures.of(flights).map(({ features, late }, index) => {
        const flight = flights[index];
        if (flight === undefined) return { features, late };
        const before = recent.get(flight.origin) ?? 0;
        // A delay of three hours or more counts as three.
        const delayHours = Math.max(-0.5, Math.min(3, flight.delayMinutes / 60));
        recent.set(flight.origin, before + recentWeight * (delayHours - before));
        return { features: Float64Array.of(...features, before), late };
      });
    },
  };
}
