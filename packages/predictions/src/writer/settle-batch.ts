import type { DomainError } from '@mcp-hub/db-core';
import type { BatchOutcome } from './write-batch.ts';
import type { Entry } from './writer-queue.ts';

/** What happens to a batch, for whoever holds its entries. */
export interface BatchHandlers {
  /** One attempt. */
  readonly write: (rows: readonly Entry[]) => Promise<BatchOutcome<Entry>>;
  readonly onWritten: (rows: readonly Entry[], versionIds: ReadonlyMap<string, string>) => void;
  readonly onRefused: (row: Entry, error: unknown) => void;
  /** Resolves when it may be tried again, after so many failures in a row. */
  readonly onFailed: (error: DomainError, failures: number) => Promise<void>;
  readonly isAbandoned: () => boolean;
}

/**
 * Writes a batch, in parts where the ledger refuses some of its rows: those it names are left out, those it does not name
 * are found by halves. Resolves when each row is written or refused, or the writer gives up.
 */
export async function settleBatch(batch: readonly Entry[], handlers: BatchHandlers): Promise<void> {
  // The last is next, so that rows are written in about their order.
  const parts: (readonly Entry[])[] = [batch];
  let failures = 0;
  for (let rows = parts.pop(); rows !== undefined; rows = parts.pop()) {
    const outcome = await handlers.write(rows);
    if (handlers.isAbandoned()) return;
    if (outcome.kind === 'again') {
      failures += 1;
      parts.push(rows);
      await handlers.onFailed(outcome.error, failures);
      if (handlers.isAbandoned()) return;
      continue;
    }
    failures = 0;
    if (outcome.kind === 'written') {
      handlers.onWritten(rows, outcome.versionIds);
      continue;
    }
    const suspects = new Set(outcome.rows);
    const others = rows.filter((row) => !suspects.has(row));
    if (others.length > 0) parts.push(others);
    if (outcome.kind === 'refused') {
      for (const row of outcome.rows) handlers.onRefused(row, outcome.error);
    } else {
      const middle = outcome.rows.length >> 1;
      parts.push(outcome.rows.slice(middle), outcome.rows.slice(0, middle));
    }
  }
}
