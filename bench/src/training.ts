import { benchTrainingMetrics } from './training-metrics.ts';

/** Logging and reading at volume, beside COPY and beside tables made for one query. */
export async function benchTraining(): Promise<void> {
  await benchTrainingMetrics();
}
