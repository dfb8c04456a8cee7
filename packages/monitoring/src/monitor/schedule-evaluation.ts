import { scheduleWork, type TenantTx } from '@mcp-hub/db-core';

/** Of the work row that says: this tenant has rules to evaluate. */
export const EVALUATION_KIND = 'monitoring.evaluate';

/** Tells the monitors when the tenant has rules that are due, by default now. */
export async function scheduleEvaluation(tx: TenantTx, dueAt?: Date): Promise<void> {
  await scheduleWork(tx, { kind: EVALUATION_KIND, ...(dueAt === undefined ? {} : { dueAt }) });
}
