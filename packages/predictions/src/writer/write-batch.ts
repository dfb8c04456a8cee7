import { type Database, DomainError, isDomainError, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { recordPredictions } from '../ledger/record-predictions.ts';
import { type QueuedPrediction, recordable, withoutIndex } from './queued-prediction.ts';

/** What became of a batch. But for 'written' nothing of it was written, or nobody knows: it is safe to write it again. */
export type BatchOutcome<Row> =
  | { readonly kind: 'written'; readonly versionIds: ReadonlyMap<string, string> }
  /** The database was away or busy. */
  | { readonly kind: 'again'; readonly error: DomainError }
  /** These rows will not be taken, the others may be. */
  | { readonly kind: 'refused'; readonly rows: readonly Row[]; readonly error: unknown }
  /** One or more of these rows will not be taken. */
  | { readonly kind: 'bad within'; readonly rows: readonly Row[]; readonly error: unknown };

export interface WriteOptions {
  /** What `app_now()` answers. */
  readonly now: Date | undefined;
  /** Asked before each statement: true undoes what was done. */
  readonly isAbandoned: () => boolean;
}

/** A tenant's own transactions may hold its rows for long: the writers of other tenants wait for this one's turn to end. */
const LOCK_TIMEOUT_MS = 1_000;

/** Writes a batch in one transaction, a call of recordPredictions for each version in it. */
export async function writeBatch<Row extends QueuedPrediction>(
  db: Database,
  tenant: string,
  batch: readonly Row[],
  { now, isAbandoned }: WriteOptions,
): Promise<BatchOutcome<Row>> {
  let group: readonly Row[] = batch;
  const versionIds = new Map<string, string>();
  const write = async (tx: TenantTx) => {
    versionIds.clear();
    for (const [key, rows] of byVersion(batch)) {
      if (isAbandoned()) throw abandoned();
      group = rows;
      const subject = rows[0]?.subject ?? {};
      const { versionId } = await recordPredictions(tx, { ...subject, predictions: rows.map(recordable) });
      versionIds.set(key, versionId);
    }
    // From here to the commit it is the whole batch that fails.
    group = batch;
    if (isAbandoned()) throw abandoned();
  };
  try {
    await withTenant(db, tenant, write, { lockTimeoutMs: LOCK_TIMEOUT_MS, ...(now === undefined ? {} : { now }) });
    return { kind: 'written', versionIds };
  } catch (error) {
    return outcomeOf(error, group);
  }
}

const abandoned = () => new DomainError('unavailable', 'The writer was closed before this prediction was written.');

/** In the order of their keys, in which two writers lock the ledgers of versions with new features. */
function byVersion<Row extends QueuedPrediction>(
  batch: readonly Row[],
): readonly (readonly [string, readonly Row[]])[] {
  const groups = new Map<string, Row[]>();
  for (const row of batch) {
    const group = groups.get(row.versionKey);
    if (group === undefined) groups.set(row.versionKey, [row]);
    else group.push(row);
  }
  return [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** After a failover the login may reach a standby for a while. */
const READ_ONLY_SERVER = '25006';

function outcomeOf<Row>(error: unknown, group: readonly Row[]): BatchOutcome<Row> {
  if (!isDomainError(error)) return { kind: 'refused', rows: group, error };
  const { code, details } = error;
  if (code === 'unavailable' || details['retryable'] === true || details['sqlState'] === READ_ONLY_SERVER) {
    return { kind: 'again', error };
  }
  const index = details['index'];
  const named = typeof index === 'number' ? group[index] : undefined;
  if (named !== undefined) return { kind: 'refused', rows: [named], error: withoutIndex(error, Number(index)) };
  // What one row can bring about, which the database did not name; the rest, such as a missing version, concerns all.
  const isOfRows = code === 'invalid_input' || code === 'conflict' || code === 'already_exists';
  return { kind: isOfRows && group.length > 1 ? 'bad within' : 'refused', rows: group, error };
}
