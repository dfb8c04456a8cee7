import type { TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';

/** Resolves when another transaction waits for a lock of this one. */
export async function somebodyWaits(tx: TenantTx): Promise<void> {
  for (;;) {
    const [found] = await tx.execute<{ waits: boolean }>(sql`
      select exists (select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid) as waits`);
    if (found?.waits) return;
  }
}
