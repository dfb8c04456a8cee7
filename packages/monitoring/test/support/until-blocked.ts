import { setTimeout as pause } from 'node:timers/promises';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import type { Monitoring } from './use-monitoring.ts';

/** Resolves when a transaction in the test's database waits for a lock of another. */
export async function untilBlocked(monitoring: Monitoring): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const waiting = await monitoring.run(freshTenant(), (tx) =>
      tx.execute(sql`
        select from pg_locks l join pg_stat_activity a using (pid)
         where not l.granted and a.datname = current_database()`),
    );
    if (waiting.length > 0) return;
    await pause(5);
  }
  throw new Error('Nobody waits.');
}
