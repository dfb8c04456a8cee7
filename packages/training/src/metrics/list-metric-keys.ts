import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
} from '@mcp-hub/db-core';
import { eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import type { MetricPoint, MetricSummary } from '../runs/metric-summary.ts';
import { trainingMetricKeys, trainingRuns } from '../schema.ts';

/** A metric of a run. */
export interface MetricKey extends MetricSummary {
  readonly key: string;
}

export const ListMetricKeysInput = z.strictObject({ runId, ...PageInput.shape });
export type ListMetricKeysInput = Readonly<z.input<typeof ListMetricKeysInput>>;

const fields = defineFilterFields({ key: textField(trainingMetricKeys.key) });
const keyList = defineList({
  name: 'training.metricKeys',
  from: trainingMetricKeys,
  columns: getTableColumns(trainingMetricKeys),
  // A key that so far has only a goal is no metric yet.
  where: sql`${trainingMetricKeys.latestStep} is not null and exists (
    select from ${trainingRuns} r
     where r.tenant_id = ${trainingMetricKeys.tenantId} and r.id = ${trainingMetricKeys.runId} and r.deleted_at is null)`,
  order: defineOrder({ fields, byDefault: [{ field: 'key' }], tieBreaker: fields.fields.key }),
  toItem: toMetricKey,
});

/**
 * The metrics of a run by key, each with its latest, smallest, largest and best point, by pages. One statement, no lock;
 * reads no points. Empty where there is no such run, or it is deleted.
 */
export async function listMetricKeys(tx: TenantTx, input: ListMetricKeysInput): Promise<Page<MetricKey>> {
  const { runId: id, ...wanted } = parseInput(ListMetricKeysInput, input);
  const within = { condition: eq(trainingMetricKeys.runId, id as Id<'Run'>), of: [id] };
  return await readPage(tx, keyList, { ...wanted, within });
}

type Row = typeof trainingMetricKeys.$inferSelect;

function toMetricKey(row: Row): MetricKey {
  const { key, pointCount, goal } = row;
  const latest = toPoint(row.latestStep, row.latestAt, row.latestValue);
  if (latest === null) throw new TypeError('A metric that is listed has a latest point');
  const min = toPoint(row.minStep, row.minAt, row.minValue);
  const max = toPoint(row.maxStep, row.maxAt, row.maxValue);
  const best = goal === null ? null : goal === 'minimize' ? min : max;
  return { key, pointCount, latest, min, max, goal, best };
}

const toPoint = (step: number | null, at: Date | null, value: number | null): MetricPoint | null =>
  step === null || at === null || value === null ? null : { step, at, value };
