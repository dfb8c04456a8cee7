import type { Writable } from 'node:stream';
import type { ReservedSql, Row } from 'postgres';
import { type Database, type DatabaseInternals, internalsOf } from './database.ts';
import { toDomainError } from './database-error.ts';
import { DomainError } from './errors.ts';
import { guardStatement } from './statement-guard.ts';

export type RowShape = 'objects' | 'arrays';

/** One transaction on one reserved connection; a savepoint is a scope of it. */
export interface Connection {
  run(text: string, parameters: readonly unknown[], shape: RowShape): Promise<readonly Row[]>;
  /** COPY FROM STDIN: `feed` writes into the sink and ends or destroys it. */
  copyIn(text: string, feed: (sink: Writable) => Promise<void>): Promise<void>;
  /** A name for a cursor or table that is unique in the transaction, and only there: the driver keeps every statement
   * text it has prepared, so texts must not grow in number. */
  uniqueName(prefix: string): string;
  savepoint<Result>(work: (inner: Connection) => Promise<Result>): Promise<Result>;
}

export interface TransactionMode {
  readonly readOnly?: boolean;
  readonly isolationLevel?: 'read committed' | 'repeatable read' | 'serializable';
  /** Sent behind BEGIN in the same flight: what enters the tenant. */
  readonly head: readonly { readonly text: string; readonly parameters: readonly (string | null)[] }[];
  /** COMMIT follows the first statement in the same flight, and a second one is refused. */
  readonly oneStatement?: boolean;
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
  const inside = internalsOf(db);
  const leave = await inside.admission.enter(inside.acquireTimeoutMs);
  try {
    const reserved = await reserve(inside);
    return await settle(reserved, mode, work);
  } catch (error) {
    throw toDomainError(error);
  } finally {
    leave();
  }
}

// The codes with which a backend ends by itself or is ended. A new connection cannot begin with them.
const endOfBackend = new Set(['57P01', '57P02', '57P05', '25P03', '25P04']);

/**
 * postgres.js 3.4.9 keeps the last error of a connection that died in the middle of a query and fails with it whoever
 * gets that connection next, once. With a ticket in hand at most `max` connections can be in that state.
 */
async function reserve({ sql, life, max }: DatabaseInternals): Promise<ReservedSql> {
  for (let left = max; ; left -= 1) {
    // postgres.js would open a new connection after its end.
    if (life.closed) throw new DomainError('unavailable', 'The database handle was closed. Connect again.');
    try {
      return await sql.reserve();
    } catch (error) {
      const leftover = error instanceof Error && 'code' in error && endOfBackend.has(String(error.code));
      if (!leftover || left === 0) throw error;
    }
  }
}

interface Life {
  /** Set when the backend is gone. From then on the reserved connection must neither be used nor released:
   * postgres.js 3.4.9 ends the process where a dead one is written to, and gives it to the next caller otherwise. */
  dead: unknown;
  headError: unknown;
  firstError: unknown;
  commit: Promise<{ readonly command: string }> | undefined;
  names: number;
  readonly onDeath: Set<(reason: unknown) => void>;
}

interface Scope {
  open: boolean;
  inFlight: number;
  child: Scope | undefined;
  readonly depth: number;
}

async function settle<Result>(
  reserved: ReservedSql,
  mode: TransactionMode,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const life: Life = {
    dead: undefined,
    headError: undefined,
    firstError: undefined,
    commit: undefined,
    names: 0,
    onDeath: new Set(),
  };
  const scope: Scope = { open: true, inFlight: 0, child: undefined, depth: 0 };
  try {
    sendHead(reserved, mode, life);
    const result = await work(openScope(reserved, scope, life, mode.oneStatement ?? false));
    scope.open = false;
    refuseUnfinished(scope);
    await commit(reserved, life);
    return result;
  } catch (error) {
    scope.open = false;
    // A reserved connection goes back to the pool only when nothing of this transaction is on its way.
    await endQuietly(life, life.commit ?? (() => reserved.unsafe('rollback').execute()));
    throw life.headError ?? error;
  } finally {
    if (life.dead === undefined) reserved.release();
  }
}

/** `onexecute` hands out postgres.js's own connection, the only way to learn that a reserved one has died. */
interface InnerConnection {
  onclose: ((reason: unknown) => void) | null;
}

function sendHead(reserved: ReservedSql, mode: TransactionMode, life: Life): void {
  const onexecute = (connection: InnerConnection) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target.
    connection.onclose = (reason) => {
      life.dead ??= reason;
      for (const reject of life.onDeath) reject(reason);
      life.onDeath.clear();
    };
    return true;
  };
  const remember = (error: unknown) => {
    noteDeath(life, error);
    life.headError ??= toDomainError(error);
  };
  const isolation = mode.isolationLevel === undefined ? '' : ` isolation level ${mode.isolationLevel}`;
  const begin = `begin${isolation}${mode.readOnly === true ? ' read only' : ''}`;
  // `onexecute` is an option of postgres.js that its types leave out.
  reserved.unsafe(begin, [], { onexecute } as object).catch(remember);
  for (const { text, parameters } of mode.head) {
    reserved.unsafe(text, [...parameters], { prepare: true }).catch(remember);
  }
}

function openScope(reserved: ReservedSql, scope: Scope, life: Life, oneStatement: boolean): Connection {
  const track = async <T>(send: () => PromiseLike<T>): Promise<T> => {
    refuse(scope, life);
    scope.inFlight += 1;
    let abandon: ((reason: unknown) => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        abandon = reject;
        life.onDeath.add(reject);
        send().then(resolve, reject);
      });
    } catch (error) {
      noteDeath(life, error);
      const mapped = toDomainError(error);
      const cause = life.headError ?? (isAborted(error) ? (life.firstError ?? mapped) : mapped);
      life.firstError ??= cause;
      throw cause;
    } finally {
      if (abandon !== undefined) life.onDeath.delete(abandon);
      scope.inFlight -= 1;
    }
  };

  return {
    uniqueName: (prefix) => {
      life.names += 1;
      return `${prefix}_${life.names}`;
    },
    copyIn: (text, feed) =>
      track(async () => {
        await feed(await reserved.unsafe(text).writable());
      }),
    run: (text, parameters, shape) =>
      track(() => {
        guardStatement(text);
        if (oneStatement && life.commit !== undefined) {
          throw new DomainError('failed_precondition', 'readOne runs one statement. Use withTenant for several.');
        }
        const query = reserved.unsafe(text, parameters as never[], { prepare: true, simple: false } as object);
        const sent = (shape === 'arrays' ? query.values() : query).execute();
        if (oneStatement) {
          life.commit = reserved.unsafe('commit');
          life.commit.then(undefined, () => {});
        }
        return sent;
      }),
    savepoint: async (work) => {
      refuse(scope, life);
      if (oneStatement) throw new DomainError('failed_precondition', 'readOne has no savepoints. Use withTenant.');
      if (scope.child !== undefined) {
        throw new DomainError(
          'failed_precondition',
          'A savepoint of this transaction is open. Await tx.transaction before the next one; two at once lose the whole transaction.',
        );
      }
      const inner: Scope = { open: true, inFlight: 0, child: undefined, depth: scope.depth + 1 };
      scope.child = inner;
      const name = `s${inner.depth}`;
      const control = (text: string) => track(() => reserved.unsafe(text).execute());
      try {
        await control(`savepoint ${name}`);
        const before = life.firstError;
        try {
          const result = await work(openScope(reserved, inner, life, false));
          inner.open = false;
          refuseUnfinished(inner);
          await control(`release savepoint ${name}`);
          return result;
        } catch (error) {
          inner.open = false;
          if (life.dead === undefined) {
            await control(`rollback to savepoint ${name}`);
            life.firstError = before;
          }
          throw error;
        }
      } finally {
        inner.open = false;
        scope.child = undefined;
      }
    },
  };
}

function refuse(scope: Scope, life: Life): void {
  if (life.dead !== undefined) throw toDomainError(life.dead);
  if (scope.open) return;
  throw new DomainError(
    'failed_precondition',
    'This transaction has ended. Use the handle only inside the callback that received it, and await every query there.',
  );
}

function refuseUnfinished(scope: Scope): void {
  if (scope.inFlight === 0 && scope.child === undefined) return;
  throw new DomainError(
    'failed_precondition',
    'The callback returned while a query was still running, so the transaction was rolled back. Await every query.',
  );
}

/** COMMIT of a transaction in which a statement failed answers ROLLBACK and no error. */
async function commit(reserved: ReservedSql, life: Life): Promise<void> {
  if (life.dead !== undefined) throw life.dead;
  life.commit ??= reserved.unsafe('commit');
  const outcome = await untilDeath(life, life.commit);
  if (outcome.command === 'COMMIT') return;
  throw (
    life.headError ??
    new DomainError(
      'failed_precondition',
      'A statement failed and its error was swallowed, so the transaction was rolled back. Let the error pass, or run the statement in tx.transaction.',
      { cause: life.firstError },
    )
  );
}

async function endQuietly(life: Life, end: PromiseLike<unknown> | (() => PromiseLike<unknown>)): Promise<void> {
  if (life.dead !== undefined) return;
  try {
    await untilDeath(life, typeof end === 'function' ? end() : end);
  } catch {
    // The connection died; with it the transaction is rolled back.
  }
}

function untilDeath<T>(life: Life, pending: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    life.onDeath.add(reject);
    pending.then(resolve, (error: unknown) => {
      noteDeath(life, error);
      reject(error);
    });
  });
}

/** The last words of a backend (FATAL) arrive before the end of its connection does. */
function noteDeath(life: Life, error: unknown): void {
  const severity = error instanceof Error && 'severity' in error ? error.severity : undefined;
  if (severity === 'FATAL' || severity === 'PANIC') life.dead ??= error;
}

function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25P02';
}
