import { type Id, isDomainError, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { watchLedger } from '@mcp-hub/predictions';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { performanceDrift } from '../performance/schema.ts';
import { monitoringBaselines } from './schema.ts';

export const RemoveMonitoringInput = z.strictObject({
  /** Of a version, which may be deleted. */
  versionId: z.uuid(),
});
export type RemoveMonitoringInput = Readonly<z.input<typeof RemoveMonitoringInput>>;

/**
 * Deletes what is kept of a version's drift and performance: baselines, profiles, checks and their results. From now on its
 * days are no longer marked, so that it can be erased. Three statements; locks the version's ledger and what is deleted.
 * Nothing is done, and nothing thrown, where there is nothing.
 */
export async function removeMonitoring(
  tx: TenantTx,
  input: RemoveMonitoringInput,
): Promise<{ readonly baselines: number; readonly performance: number }> {
  const { versionId } = parseInput(RemoveMonitoringInput, input);
  const id = versionId as Id<'ModelVersion'>;
  const tenant = tenantOf(tx);
  const baselines = await tx
    .delete(monitoringBaselines)
    .where(and(eq(monitoringBaselines.tenantId, tenant), eq(monitoringBaselines.modelVersionId, id)))
    .returning({ id: monitoringBaselines.id });
  const performance = await tx
    .delete(performanceDrift)
    .where(and(eq(performanceDrift.tenantId, tenant), eq(performanceDrift.modelVersionId, id)))
    .returning({ id: performanceDrift.id });
  try {
    await watchLedger(tx, { versionId, watched: false });
  } catch (error) {
    if (!isDomainError(error, 'not_found')) throw error;
  }
  return { baselines: baselines.length, performance: performance.length };
}
