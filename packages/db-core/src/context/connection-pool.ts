import type { Sql } from 'postgres';
import { DomainError } from '../errors.ts';
import { createAdmission } from './admission.ts';
import { openConnection, type PooledConnection } from './pooled-connection.ts';

export interface ConnectionPool {
  /** The connection is the caller's until it is given back, once. @throws DomainError `unavailable` after `timeoutMs`. */
  take(timeoutMs: number): Promise<TakenConnection>;
  /** Ends idle connections at once, taken ones when they are given back or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

interface TakenConnection {
  readonly connection: PooledConnection;
  /** Dead or alive. */
  readonly giveBack: () => void;
}

/** Up to `max` connections; the one used last is used next, so that a quiet pool leans on few. */
export function createConnectionPool(openClient: () => Sql, max: number): ConnectionPool {
  const admission = createAdmission(max);
  const idle: PooledConnection[] = [];
  const taken = new Set<PooledConnection>();
  let closed = false;
  let whenEmpty = () => {};

  const end = (connection: PooledConnection) => void connection.end().catch(() => {});

  const shelve = (connection: PooledConnection) => {
    if (closed || connection.isWorn() || connection.deathCause() !== undefined) return end(connection);
    connection.onDeath(() => {
      const place = idle.indexOf(connection);
      if (place >= 0) idle.splice(place, 1);
      end(connection);
    });
    idle.push(connection);
  };

  /** Who comes too late keeps the ticket until the connection is there for the next: there are never more than max. */
  const openBefore = async (deadline: number, leave: () => void): Promise<PooledConnection> => {
    const opening = openConnection(openClient());
    try {
      return await before(deadline, opening);
    } catch (error) {
      void opening.then(shelve, () => {}).finally(leave);
      throw error;
    }
  };

  return {
    take: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      const leave = await admission.enter(timeoutMs);
      if (closed) {
        leave();
        throw ended();
      }
      const connection = idle.pop() ?? (await openBefore(deadline, leave));
      taken.add(connection);
      return {
        connection,
        giveBack: () => {
          taken.delete(connection);
          shelve(connection);
          leave();
          if (taken.size === 0) whenEmpty();
        },
      };
    },
    close: async (timeoutMs) => {
      closed = true;
      const ends = idle.splice(0).map((connection) => connection.end());
      if (taken.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          whenEmpty = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      await Promise.all([...ends, ...Array.from(taken, (connection) => connection.destroy(ended()))]);
    },
  };
}

const ended = () => new DomainError('unavailable', 'The database handle was closed. Connect again.');

/** `pending`, or `unavailable` where the deadline comes first. */
async function before<T>(deadline: number, pending: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const refuse = () => reject(new DomainError('unavailable', 'The server gave no connection in time. Try again.'));
    timer = setTimeout(refuse, Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
  }
}
