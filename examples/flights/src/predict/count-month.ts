import type { CacheStats } from '@mcp-hub/predictions';
import type { MonthOfFlights } from './month-of-flights.ts';
import type { MonthInLedger } from './read-month.ts';
import type { JobReport } from './run-month-job.ts';

/** How many of what; all of them but `flights` and `asks` as the database has it. */
export interface MonthCounts {
  readonly flights: number;
  readonly online: number;
  readonly batch: number;
  readonly labelled: number;
  readonly unlabelled: number;
  readonly asks: number;
  readonly hits: number;
  readonly misses: number;
}

/** Counts what was planned and what there is. @throws where it does not add up. */
export function countMonth(
  month: MonthOfFlights,
  { predictions, inSql }: Pick<MonthInLedger, 'predictions' | 'inSql'>,
  { hits, misses }: Pick<CacheStats, 'hits' | 'misses'>,
  { job }: Pick<JobReport, 'job'>,
): MonthCounts {
  const counts: MonthCounts = {
    flights: month.online.length + month.batch.length,
    online: predictions.filter(({ source }) => source === 'online').length,
    batch: predictions.filter(({ batchJobId }) => batchJobId === job.id).length,
    labelled: predictions.filter(({ truth }) => truth !== null).length,
    unlabelled: predictions.filter(({ truth }) => truth === null).length,
    ...{ asks: month.asks.length, hits, misses },
  };
  const flights = `${counts.flights} flights of the month`;
  requireSum(flights, counts.flights, { online: counts.online, batch: counts.batch });
  requireSum(flights, counts.flights, { labelled: counts.labelled, unlabelled: counts.unlabelled });
  requireSum(flights, counts.flights, {
    'of different flights': new Set(predictions.map(({ subject }) => subject)).size,
  });
  requireSum(`${counts.batch} of the batch job`, counts.batch, { 'rows succeeded': job.progress.rows.succeeded });
  requireSum(`${counts.labelled} labelled`, counts.labelled, { evaluated: inSql.n });
  requireSum(`${counts.asks} asks`, counts.asks, { hits, misses });
  return counts;
}

function requireSum(whole: string, total: number, parts: Readonly<Record<string, number>>): void {
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  if (sum === total) return;
  const named = Object.entries(parts).map(([name, n]) => `${n} ${name}`);
  throw new Error(`The counts do not add up: ${named.join(' + ')} is ${sum}, and not the ${whole}.`);
}
