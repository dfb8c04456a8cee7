import type { Writable } from 'node:stream';
import type { Row } from 'postgres';
import { DomainError } from '../errors.ts';
import { numberText } from '../value/value-text.ts';
import { toDomainError } from './database-error.ts';
import type { PooledConnection } from './pooled-connection.ts';

export type RowShape = 'objects' | 'arrays';

/** What one transaction sends on its connection. Every promise settles, also when the backend dies. */
export interface Wire {
  run(text: string, parameters: readonly unknown[], shape: RowShape): Promise<readonly Row[]>;
  copyIn(text: string, feed: (sink: Writable) => Promise<void>): Promise<void>;
  /** BEGIN, savepoints, ROLLBACK: statements of this package without parameters. */
  control(text: string): Promise<void>;
  /** Sends without waiting; a failure is kept as `headError` and fails what follows. */
  sendAhead(text: string, parameters: readonly (string | null)[]): void;
  /** The COMMIT of this transaction, sent once. */
  sendCommit(): Promise<{ readonly command: string }>;
  commitSent(): boolean;
  isDead(): boolean;
  /** True while a COPY is under way, in which the connection takes no other statement. */
  isCopying(): boolean;
  /** Ends the connection, and with it the transaction. */
  kill(error: unknown): Promise<void>;
  headError(): unknown;
  /** The first failure of a statement that was not undone by a savepoint. */
  firstError(): unknown;
  resetFirstError(to: unknown): void;
  /** Unique in the transaction, and only there: the driver keeps every statement text that it has prepared. */
  readonly uniqueName: (prefix: string) => string;
}

export function createWire(connection: PooledConnection): Wire {
  const { sql } = connection;
  const waiting = new Set<(cause: unknown) => void>();
  let headError: unknown;
  let firstError: unknown;
  let commit: Promise<{ readonly command: string }> | undefined;
  let names = 0;
  let copies = 0;
  connection.onDeath((cause) => {
    // Statements that waited in the driver behind the one that ran are never settled by it.
    for (const reject of waiting) reject(cause);
    waiting.clear();
  });

  const untilDeath = async <T>(send: () => PromiseLike<T>): Promise<T> => {
    if (connection.deathCause() !== undefined) throw connection.deathCause();
    let abandon: ((cause: unknown) => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        abandon = reject;
        waiting.add(reject);
        send().then(resolve, reject);
      });
    } catch (error) {
      connection.noteError(error);
      throw error;
    } finally {
      if (abandon !== undefined) waiting.delete(abandon);
    }
  };

  /** The error of the statement, or the earlier one that it only follows from. */
  const statement = async <T>(send: () => PromiseLike<T>): Promise<T> => {
    try {
      return await untilDeath(send);
    } catch (error) {
      const mapped = toDomainError(error);
      const cause = headError ?? (isAborted(error) ? (firstError ?? mapped) : mapped);
      firstError ??= cause;
      throw cause;
    }
  };

  const kill = async (error: unknown) => {
    await connection.destroy(toDomainError(error));
  };

  return {
    isCopying: () => copies > 0,
    kill,
    run: async (text, parameters, shape) => {
      const bound = boundParameters(parameters);
      connection.noteText(text);
      return await statement(() => {
        const query = sql.unsafe(text, bound, { prepare: true, simple: false } as object);
        return (shape === 'arrays' ? query.values() : query).execute();
      });
    },
    copyIn: (text, feed) =>
      statement(async () => {
        copies += 1;
        try {
          const query = sql.unsafe(text);
          const refused = refusalOf(query);
          await Promise.race([feed(await query.writable()), refused]);
        } catch (error) {
          // What the driver sends behind a failed copy may be more than the server takes.
          await kill(new DomainError('failed_precondition', 'A copy failed, and with it the transaction.'));
          throw error;
        } finally {
          copies -= 1;
        }
      }),
    control: async (text) => {
      await statement(() => sql.unsafe(text).execute());
    },
    sendAhead: (text, parameters) => {
      const options = parameters.length === 0 ? {} : { prepare: true };
      sql.unsafe(text, [...parameters], options).catch((error: unknown) => {
        connection.noteError(error);
        headError ??= toDomainError(error);
      });
    },
    sendCommit: () => {
      if (commit === undefined) {
        commit = untilDeath(() => sql.unsafe('commit').execute());
        // Whoever sends it ahead awaits it later.
        commit.catch(() => {});
      }
      return commit;
    },
    commitSent: () => commit !== undefined,
    isDead: () => connection.deathCause() !== undefined,
    headError: () => headError,
    firstError: () => firstError,
    resetFirstError: (to) => {
      firstError = to;
    },
    uniqueName: (prefix) => {
      names += 1;
      return `${prefix}_${names}`;
    },
  };
}

/**
 * What the driver can bind. A value that it cannot serialize fails inside it after the statement was queued: another
 * statement is told, and this one waits for ever.
 */
function boundParameters(parameters: readonly unknown[]): never[] {
  return parameters.map((value, index) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
      return value;
    // As text: the server knows the type, and the driver's serializers for dates and JSON take text only.
    if (typeof value === 'number') return numberText(value);
    if (value instanceof Uint8Array) return value;
    const kind =
      value instanceof Date
        ? 'a Date (bind timeParameter)'
        : Array.isArray(value)
          ? 'an array (bind textArray or its like)'
          : typeof value === 'object'
            ? 'an object (bind jsonParameter)'
            : typeof value;
    throw new DomainError(
      'invalid_input',
      `Parameter ${index + 1} of the statement is ${kind}; pass text, numbers, booleans, bytes or null.`,
      { details: { parameter: index + 1 } },
    );
  }) as never[];
}

/**
 * When the server refuses what a COPY sent. postgres.js resolves the query with the stream and then reports to the query,
 * which nobody hears any more; the stream's own end never comes.
 */
function refusalOf(query: object): Promise<never> {
  const reporting = query as { reject: (error: unknown) => void };
  const report = reporting.reject;
  const refused = new Promise<never>((_resolve, reject) => {
    reporting.reject = (error) => {
      report(error);
      reject(error);
    };
  });
  refused.catch(() => {});
  return refused;
}

function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25P02';
}
