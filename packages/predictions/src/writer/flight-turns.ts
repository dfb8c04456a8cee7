import type { Database } from '@mcp-hub/db-core';
import { PREDICTION_LIMITS } from '../limits.ts';

/** Lets the writers of one pool write by turns. */
export interface FlightTurns {
  /** Runs `work` when it is its turn: those who asked earlier come first, some at a time. */
  take<Result>(work: () => Promise<Result>): Promise<Result>;
}

const turnsByPool = new WeakMap<Database, FlightTurns>();

/**
 * Turns of all writers of a pool. A writer asks for one a batch, and for the next when that one is written: one with a
 * million rows waiting comes no more often than one with ten, and the pool's other connections stay free for requests.
 */
export function flightTurnsOf(db: Database): FlightTurns {
  const known = turnsByPool.get(db);
  if (known !== undefined) return known;
  const turns = createFlightTurns(PREDICTION_LIMITS.writerFlights);
  turnsByPool.set(db, turns);
  return turns;
}

function createFlightTurns(atOnce: number): FlightTurns {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return {
    take: async (work) => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        // Handed on without being free in between, so that nobody who comes now is before those who wait.
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
