import {
  defineFilterFields,
  defineList,
  defineOrder,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  timeField,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { key, runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import type { MetricPoint } from '../runs/metric-summary.ts';
import { trainingMetricKeys, trainingMetrics, trainingRuns } from '../schema.ts';
import { inSteps, stepRange } from './step-range.ts';

export const ListMetricPointsInput = z.strictObject({ runId, key, ...stepRange, ...PageInput.shape });
/** A page has 1,000 points by default, 10,000 at most; with limit 0 it has none. */
export type ListMetricPointsInput = Readonly<z.input<typeof ListMetricPointsInput>>;

const fields = defineFilterFields({
  step: numberField(trainingMetrics.step),
  at: timeField(trainingMetrics.at),
  value: numberField(trainingMetrics.value),
});
const pointList = defineList({
  name: 'training.metricPoints',
  from: trainingMetrics,
  columns: { step: trainingMetrics.step, at: trainingMetrics.at, value: trainingMetrics.value },
  // The value is the last of what makes a point unique, and ascending NaN is where the index has it.
  order: defineOrder({
    fields,
    byDefault: [{ field: 'step' }, { field: 'at' }, { field: 'value' }],
    tieBreaker: fields.fields.step,
  }),
  defaultLimit: TRAINING_LIMITS.pointsPageDefault,
  maxLimit: TRAINING_LIMITS.pointsPage,
});

/**
 * The points of one metric of a run by (step, time, value), by pages. One statement, no lock. Empty where there is no such
 * run or metric, or the run is deleted.
 */
export async function listMetricPoints(tx: TenantTx, input: ListMetricPointsInput): Promise<Page<MetricPoint>> {
  const { runId: id, key: name, fromStep, toStep, limit, cursor } = parseInput(ListMetricPointsInput, input);
  if (limit === 0) return { items: [], nextCursor: undefined };
  const tenant = tenantOf(tx);
  const keyId = sql`(
    select k.key_id
      from ${trainingMetricKeys} k
      join ${trainingRuns} r on r.tenant_id = k.tenant_id and r.id = k.run_id
     where k.tenant_id = ${tenant} and k.run_id = ${id}::uuid and k.key = ${name} and r.deleted_at is null)`;
  return await readPage(tx, pointList, {
    limit,
    cursor,
    within: {
      condition: and(
        eq(trainingMetrics.runId, id),
        sql`${trainingMetrics.keyId} = ${keyId}`,
        inSteps({ fromStep, toStep }),
      ),
      of: [id, name, fromStep ?? null, toStep ?? null],
    },
  });
}
