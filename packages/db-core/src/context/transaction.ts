import { DomainError } from '../errors.ts';
import { type Database, internalsOf } from './database.ts';
import { toDomainError } from './database-error.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { type Connection, openScope, refuseUnfinished } from './transaction-scope.ts';
import { createWire, type Wire } from './wire.ts';

export interface TransactionMode {
  readonly readOnly?: boolean;
  readonly isolationLevel?: 'read committed' | 'repeatable read' | 'serializable';
  /** Sent behind BEGIN in the same flight: what enters the tenant. */
  readonly head: readonly { readonly text: string; readonly parameters: readonly (string | null)[] }[];
  /** COMMIT follows the first statement in the same flight, and a second one is refused. */
  readonly oneStatement?: boolean;
  /** Asked before each statement: throws where the caller must not use this transaction. */
  readonly refuseCaller?: () => void;
}

/**
 * Runs `work` in a transaction of its own. BEGIN and the head are sent un-awaited in front of the first statement, so
 * that a transaction costs one round trip more than its statements.
 */
export async function runTransaction<Result>(
  db: Database,
  mode: TransactionMode,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { pool, acquireTimeoutMs } = internalsOf(db);
  try {
    const { connection, giveBack } = await pool.take(acquireTimeoutMs);
    try {
      return await settle(connection, mode, work);
    } finally {
      giveBack();
    }
  } catch (error) {
    throw toDomainError(error);
  }
}

async function settle<Result>(
  connection: PooledConnection,
  mode: TransactionMode,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const wire = createWire(connection);
  const scope = openScope(wire, {
    oneStatement: mode.oneStatement ?? false,
    refuseCaller: mode.refuseCaller ?? (() => {}),
  });
  try {
    sendHead(wire, mode);
    const result = await work(scope.connection);
    scope.close();
    refuseUnfinished(scope);
    await commit(wire);
    return result;
  } catch (error) {
    scope.close();
    await endQuietly(wire);
    throw wire.headError() ?? error;
  }
}

function sendHead(wire: Wire, mode: TransactionMode): void {
  const isolation = mode.isolationLevel === undefined ? '' : ` isolation level ${mode.isolationLevel}`;
  wire.sendAhead(`begin${isolation}${mode.readOnly === true ? ' read only' : ''}`, []);
  for (const { text, parameters } of mode.head) wire.sendAhead(text, parameters);
}

/** COMMIT of a transaction in which a statement failed answers ROLLBACK and no error. */
async function commit(wire: Wire): Promise<void> {
  const { command } = await wire.sendCommit();
  if (command === 'COMMIT') return;
  throw (
    wire.headError() ??
    new DomainError(
      'failed_precondition',
      'A statement failed and its error was swallowed, so the transaction was rolled back. Let the error pass, or run the statement in tx.transaction.',
      { cause: wire.firstError() },
    )
  );
}

/**
 * A connection goes back to the pool only when its transaction has ended and nothing of it is on its way. Where the
 * server did not say so, the connection ends: the next tenant on it would work in this one's transaction.
 */
async function endQuietly(wire: Wire): Promise<void> {
  if (wire.isDead()) return;
  if (wire.isCopying()) {
    await wire.kill(new DomainError('failed_precondition', 'A copy was still under way when its transaction ended.'));
    return;
  }
  try {
    await (wire.commitSent() ? wire.sendCommit() : wire.control('rollback'));
  } catch (error) {
    // A COMMIT that the server refused has ended the transaction too.
    if (!(wire.commitSent() && isFromServer(error))) await wire.kill(error);
  }
}

function isFromServer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}
