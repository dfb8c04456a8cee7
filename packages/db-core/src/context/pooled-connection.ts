import type { ReservedSql, Sql } from 'postgres';

/** One connection to the server, for its whole life: a postgres.js client of its own whose only connection is reserved. */
export interface PooledConnection {
  readonly sql: ReservedSql;
  /** What it died of; undefined while it lives. Nothing may be sent on a dead one: postgres.js would end the process. */
  readonly deathCause: () => unknown;
  /** Calls `listener` when the connection is gone, in place of the listener before. */
  onDeath(listener: (cause: unknown) => void): void;
  /** Takes the last words of the backend (FATAL), which arrive before the end of the connection does, for its death. */
  noteError(error: unknown): void;
  /** Ends it where it is idle or dead. */
  end(): Promise<void>;
  /** Ends it under whatever runs on it; `cause` is what later statements are told. */
  destroy(cause: unknown): Promise<void>;
  /** Notes a statement text, which the driver and the server keep prepared from now on. */
  noteText(text: string): void;
  /** True where it keeps so many statements that a new connection is cheaper. */
  isWorn(): boolean;
}

// Of about 300 kB each in the backend's memory.
const PREPARED_TEXTS_MAX = 500;

/** What `onexecute` of postgres.js hands out, the only way to learn that a reserved connection has died. */
interface InnerConnection {
  onclose: ((cause: unknown) => void) | null;
}

/**
 * Opens a connection: one round trip after the login.
 *
 * A client for each, because postgres.js 3.4.9 does not get over the death of a connection inside one client: it gives
 * the error of the death to the next user, and where a statement was just being written, the connection's write buffer
 * stays blocked and every later attempt to connect in its place hangs. A client whose connection died is thrown away.
 */
export async function openConnection(client: Sql): Promise<PooledConnection> {
  let cause: unknown;
  const texts = new Set<string>();
  let listener: (cause: unknown) => void = () => {};
  const die = (reason: unknown) => {
    cause ??= reason;
    listener(cause);
  };
  const onexecute = (connection: InnerConnection) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target.
    connection.onclose = die;
    return true;
  };
  try {
    // `onexecute` is an option that the types of postgres.js leave out. `reserve()` would not open a connection itself
    // unless it may look up array types there, and that look-up ends the process when the backend dies under it.
    await client.unsafe('select 1', [], { onexecute } as object);
  } catch (error) {
    void client.end({ timeout: 0 });
    throw error;
  }
  const sql = await client.reserve();
  return {
    sql,
    deathCause: () => cause,
    onDeath: (next) => {
      listener = next;
    },
    noteError: (error) => {
      const severity = error instanceof Error && 'severity' in error ? error.severity : undefined;
      if (severity === 'FATAL' || severity === 'PANIC') cause ??= error;
    },
    end: async () => {
      // The client waits for its reserved connection; a dead one must not be given back.
      if (cause === undefined) sql.release();
      await client.end({ timeout: 0 });
    },
    destroy: async (reason) => {
      cause ??= reason;
      await client.end({ timeout: 0 });
    },
    noteText: (text) => texts.add(text),
    isWorn: () => texts.size > PREPARED_TEXTS_MAX,
  };
}
