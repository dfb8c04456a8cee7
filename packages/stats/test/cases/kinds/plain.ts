import type { Outcome } from '../../../src/index.ts';

/** The value of an outcome, null where it is undefined: as the case files write it. */
export function plain<T>(outcome: Outcome<T>): T | null {
  return outcome.value;
}

/** What `shape` makes of the value of an outcome, null where it is undefined. */
export function shaped<T, U>(outcome: Outcome<T>, shape: (value: T) => U): U | null {
  return outcome.value === null ? null : shape(outcome.value);
}
