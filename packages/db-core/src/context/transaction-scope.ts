import type { Writable } from 'node:stream';
import type { Row } from 'postgres';
import { DomainError } from '../errors.ts';
import { guardStatement } from './statement-guard.ts';
import type { RowShape, Wire } from './wire.ts';

/** What a handle runs its statements on: a transaction, or a savepoint of it. */
export interface Connection {
  /** A statement of a service: guarded. */
  run(text: string, parameters: readonly unknown[], shape: RowShape): Promise<readonly Row[]>;
  /** A statement of this package, such as a cursor around a guarded one. */
  runOwn(text: string, parameters: readonly unknown[], shape: RowShape): Promise<readonly Row[]>;
  /** COPY FROM STDIN: `feed` writes into the sink and ends or destroys it. */
  copyIn(text: string, feed: (sink: Writable) => Promise<void>): Promise<void>;
  uniqueName(prefix: string): string;
  savepoint<Result>(work: (inner: Connection) => Promise<Result>): Promise<Result>;
}

/** The time in which a handle works. */
export interface Scope {
  readonly connection: Connection;
  close(): void;
  isBusy(): boolean;
}

/** What holds for a scope and the savepoints in it. */
export interface ScopeRules {
  /** COMMIT follows the first statement in the same flight, and a second one is refused. */
  readonly oneStatement: boolean;
  /** Asked before each use: throws where the caller must not use this transaction. */
  readonly refuseCaller: () => void;
}

export function openScope(wire: Wire, { oneStatement, refuseCaller }: ScopeRules, depth = 0): Scope {
  let open = true;
  let inFlight = 0;
  let hasSavepoint = false;

  const refuse = () => {
    refuseCaller();
    if (open) return;
    throw new DomainError(
      'failed_precondition',
      'This transaction has ended. Use the handle only inside the callback that received it, and await every query there.',
    );
  };

  const counted = async <T>(send: () => Promise<T>): Promise<T> => {
    refuse();
    inFlight += 1;
    try {
      return await send();
    } finally {
      inFlight -= 1;
    }
  };

  const connection: Connection = {
    uniqueName: wire.uniqueName,
    runOwn: (text, parameters, shape) => counted(() => wire.run(text, parameters, shape)),
    copyIn: (text, feed) => counted(() => wire.copyIn(text, feed)),
    run: (text, parameters, shape) =>
      counted(async () => {
        guardStatement(text);
        if (!oneStatement) return await wire.run(text, parameters, shape);
        if (wire.commitSent()) {
          throw new DomainError('failed_precondition', 'readOne runs one statement. Use withTenant for several.');
        }
        const rows = wire.run(text, parameters, shape);
        // Behind the statement, in the same flight.
        void wire.sendCommit();
        return await rows;
      }),
    savepoint: async (work) => {
      refuse();
      if (oneStatement) throw new DomainError('failed_precondition', 'readOne has no savepoints. Use withTenant.');
      if (hasSavepoint) {
        throw new DomainError(
          'failed_precondition',
          'A savepoint of this transaction is open. Await tx.transaction before the next one; two at once lose the whole transaction.',
        );
      }
      hasSavepoint = true;
      try {
        return await runSavepoint(wire, refuseCaller, depth + 1, work);
      } finally {
        hasSavepoint = false;
      }
    },
  };

  return {
    connection,
    close: () => {
      open = false;
    },
    isBusy: () => inFlight > 0 || hasSavepoint,
  };
}

async function runSavepoint<Result>(
  wire: Wire,
  refuseCaller: () => void,
  depth: number,
  work: (inner: Connection) => Promise<Result>,
): Promise<Result> {
  const name = `s${depth}`;
  const errorBefore = wire.firstError();
  const scope = openScope(wire, { oneStatement: false, refuseCaller }, depth);
  await wire.control(`savepoint ${name}`);
  try {
    const result = await work(scope.connection);
    scope.close();
    refuseUnfinished(scope);
    await wire.control(`release savepoint ${name}`);
    return result;
  } catch (error) {
    scope.close();
    await undoSavepoint(wire, name);
    wire.resetFirstError(errorBefore);
    throw error;
  }
}

/** What cannot be undone must not be committed by whoever catches the error: then the whole transaction dies. */
async function undoSavepoint(wire: Wire, name: string): Promise<void> {
  if (wire.isDead()) return;
  try {
    if (wire.isCopying()) throw new DomainError('failed_precondition', 'A copy was under way.');
    await wire.control(`rollback to savepoint ${name}`);
  } catch (error) {
    await wire.kill(error);
  }
}

export function refuseUnfinished(scope: Scope): void {
  if (!scope.isBusy()) return;
  throw new DomainError(
    'failed_precondition',
    'The callback returned while a query was still running, so the transaction was rolled back. Await every query.',
  );
}
