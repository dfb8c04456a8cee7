import { DomainError } from '../errors.ts';

/**
 * A version 7 uuid (RFC 9562, 5.7), as text. Those of now are greater than all made before in this process, also where
 * the clock is set back; those of a given time are greater than those made before of the same time, to the millisecond.
 *
 * 48 bits of time, 42 of a counter that begins anywhere in each millisecond (6.2, method 1), 32 of chance.
 *
 * @throws DomainError `invalid_input` for a time before 1970 or after 10889, which has no such uuid.
 */
export function uuidV7(at?: Date): string {
  if (at !== undefined) return uuidOf(at.getTime(), countOf(at.getTime()));
  const ms = Math.max(Date.now(), now.ms);
  now = { ms, count: ms === now.ms ? now.count + 1 : firstCount() };
  return uuidOf(now.ms, now.count);
}

let now = { ms: 0, count: 0 };

/** The last count of each given millisecond, of the thousand that came last: given times need not come in order. */
const counts = new Map<number, number>();
const MILLISECONDS_KEPT = 1_000;

function countOf(ms: number): number {
  const last = counts.get(ms);
  const count = last === undefined ? firstCount() : last + 1;
  if (last === undefined && counts.size === MILLISECONDS_KEPT) {
    const [oldest = ms] = counts.keys();
    counts.delete(oldest);
  }
  counts.set(ms, count);
  return count;
}

/**
 * Below the middle of 42 bits, so that 2^41 ids follow in its millisecond. Not on from the one before: how far two ids
 * lie apart would tell how many were made for other tenants.
 */
function firstCount(): number {
  return (random32() % 2 ** 9) * 2 ** 32 + random32();
}

function uuidOf(ms: number, count: number): string {
  if (!Number.isInteger(ms) || ms < 0 || ms >= 2 ** 48) {
    throw new DomainError('invalid_input', 'The time of an id must be a valid one, from 1970 to 10889.');
  }
  const time = hex(ms, 12);
  const high = hex(Math.floor(count / 2 ** 30), 3);
  // The variant is 10 in binary, before the other 30 bits of the count.
  const low = hex(2 ** 31 + (count % 2 ** 30), 8);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${low.slice(0, 4)}-${low.slice(4)}${hex(random32(), 8)}`;
}

const chance = new Uint32Array(1_024);
let used = chance.length;

/** One call for many numbers: for each, it would cost more than the rest of an id. */
function random32(): number {
  if (used === chance.length) {
    crypto.getRandomValues(chance);
    used = 0;
  }
  return chance[used++] ?? 0;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
