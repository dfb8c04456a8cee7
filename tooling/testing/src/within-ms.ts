/**
 * A property of fast-check that stops running new cases `limitMs` after it is made, so that a slow machine tries fewer.
 *
 * fast-check's own `interruptAfterTimeLimit` leaves the case it interrupts running, beside the end of the test and of
 * its database.
 */
export const withinMs = <Case extends readonly unknown[]>(
  limitMs: number,
  run: (...given: Case) => Promise<void>,
): ((...given: Case) => Promise<void>) => {
  const end = Date.now() + limitMs;
  return async (...given) => {
    if (Date.now() < end) await run(...given);
  };
};
