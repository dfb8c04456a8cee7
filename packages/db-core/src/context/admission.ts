import { DomainError } from '../errors.ts';

/** As many tickets as the pool has connections. */
export interface Admission {
  /** Waits for a ticket, first come first served. `unavailable` after `timeoutMs`. Call what it returns once. */
  enter(timeoutMs: number): Promise<() => void>;
}

/**
 * The queue in front of the connections of a pool. Whoever has a ticket finds an idle connection or may open one, so
 * that a wait is here and nowhere else: it has a time-out, and a transaction inside another one at the pool's maximum ends
 * in an error and not in a hang.
 */
export function createAdmission(size: number): Admission {
  let free = size;
  const waiting = new Set<() => void>();

  const leave = () => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else next();
  };
  const ticket = () => {
    let used = false;
    return () => {
      if (used) return;
      used = true;
      leave();
    };
  };

  return {
    enter(timeoutMs) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(ticket());
      }
      return new Promise((resolve, reject) => {
        const admit = () => {
          clearTimeout(timer);
          waiting.delete(admit);
          resolve(ticket());
        };
        const timer = setTimeout(() => {
          waiting.delete(admit);
          reject(
            new DomainError(
              'unavailable',
              `All ${size} connections were busy for ${timeoutMs} ms. Shorten the transactions, do not open one inside another, or raise max.`,
              { details: { max: size, acquireTimeoutMs: timeoutMs } },
            ),
          );
        }, timeoutMs);
        waiting.add(admit);
      });
    },
  };
}
