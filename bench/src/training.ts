import { benchTrainingMetrics } from './training-metrics.ts';
import { benchTrainingSearch } from './training-search.ts';

/** Points in and out beside COPY and a table made for one query; searches of runs beside hand-written SQL. */
export async function benchTraining(): Promise<void> {
  await benchTrainingMetrics();
  await benchTrainingSearch();
}
