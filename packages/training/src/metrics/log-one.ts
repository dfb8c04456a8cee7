import { parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { fencingToken, key, paramValue, runId } from '../inputs.ts';
import { logBatch } from './log-batch.ts';
import { MetricPointInput } from './read-points.ts';

export const LogMetricInput = z.strictObject({ runId, fencingToken, ...MetricPointInput.shape });
export type LogMetricInput = Readonly<z.input<typeof LogMetricInput>>;

/** Stores one point; logBatch with one point. A loop that logs several values a step is served better by that. */
export async function logMetric(tx: TenantTx, input: LogMetricInput): Promise<void> {
  const { runId: id, fencingToken: token, ...point } = parseInput(LogMetricInput, input);
  await logBatch(tx, { runId: id, fencingToken: token, points: [point] });
}

export const LogParamInput = z.strictObject({ runId, fencingToken, key, value: paramValue });
export type LogParamInput = Readonly<z.input<typeof LogParamInput>>;

/** Stores one param; logBatch with one param. */
export async function logParam(tx: TenantTx, input: LogParamInput): Promise<void> {
  const { runId: id, fencingToken: token, ...param } = parseInput(LogParamInput, input);
  await logBatch(tx, { runId: id, fencingToken: token, params: [param] });
}
