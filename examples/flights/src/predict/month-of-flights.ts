import { LATE_FROM } from '../evaluate/late-from.ts';
import type { Flight } from '../flights.ts';
import type { FittedVersion, ScoredFlight } from '../late-arrival-models.ts';
import { type LogisticModel, predictLate } from '../logistic-regression.ts';

/** The flights of March by how they are predicted. */
export interface MonthOfFlights {
  /** Somebody asks about these: each tenth. */
  readonly online: readonly ScoredFlight[];
  /** What is asked: each of `online`, and then each third of them again. */
  readonly asks: readonly ScoredFlight[];
  /** All others. */
  readonly batch: readonly ScoredFlight[];
}

export function splitMonth({ heldBack }: Pick<FittedVersion, 'heldBack'>): MonthOfFlights {
  const isOnline = (row: number) => row % 10 === 0;
  const online = heldBack.filter((_, row) => isOnline(row));
  const again = online.filter((_, row) => row % 3 === 0);
  return { online, asks: [...online, ...again], batch: heldBack.filter((_, row) => !isOnline(row)) };
}

/** What predictions and labels of a flight are joined on. */
export const subjectOf = ({ id }: Flight) => `flight ${id}`;

export type FlightFeatures = Readonly<Record<string, number>>;

export function featuresOf({ features: names }: LogisticModel, { features }: ScoredFlight): FlightFeatures {
  return Object.fromEntries(names.map((name, at) => [name, features[at] ?? 0]));
}

export type LateLabel = 'late' | 'punctual';

export interface LatePrediction {
  /** The probability that the flight is late. */
  readonly score: number;
  readonly label: LateLabel;
}

/** What a version says of a flight, from features by name. */
export function predictFlight(model: LogisticModel, features: Readonly<Record<string, unknown>>): LatePrediction {
  const row = Float64Array.from(model.features, (name) => Number(features[name]));
  const score = predictLate(model, row);
  return { score, label: score >= LATE_FROM ? 'late' : 'punctual' };
}
