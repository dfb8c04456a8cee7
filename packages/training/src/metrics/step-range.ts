import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { trainingMetrics } from '../schema.ts';

/** Both ends belong to it. */
export const stepRange = {
  fromStep: z.int().optional(),
  toStep: z.int().optional(),
};

export interface StepRange {
  readonly fromStep?: number | undefined;
  readonly toStep?: number | undefined;
}

/** Of the rows of training_metrics, by whatever name the query knows the table. */
export function inSteps({ fromStep, toStep }: StepRange, step: SQL = sql`${trainingMetrics.step}`): SQL | undefined {
  const ends = [
    ...(fromStep === undefined ? [] : [sql`${step} >= ${fromStep}::bigint`]),
    ...(toStep === undefined ? [] : [sql`${step} <= ${toStep}::bigint`]),
  ];
  return ends.length === 0 ? undefined : sql.join(ends, sql` and `);
}
