import { createHash } from 'node:crypto';
import type { ScoredFlight } from '../late-arrival-models.ts';

/** What all versions are evaluated on: the flights of March, as columns. */
export interface HeldBackDays {
  readonly dataset: { readonly name: string; readonly digest: string };
  /** 1 where the flight was late. */
  readonly labels: readonly number[];
  readonly origins: readonly string[];
}

/** The columns of flights in order of departure; the digest is of ids and labels, so that it is one for all versions. */
export function heldBackDays(scored: readonly ScoredFlight[]): HeldBackDays {
  const labels = scored.map(({ late }) => Number(late));
  const lines = scored.map(({ flight }, row) => `${flight.id},${labels[row]}\n`).join('');
  return {
    dataset: {
      name: 'flights-20k, March 2001',
      digest: `sha256:${createHash('sha256').update(lines).digest('hex')}`,
    },
    labels,
    origins: scored.map(({ flight }) => flight.origin),
  };
}
