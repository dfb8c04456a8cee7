import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newId, timeOfId } from '../src/index.ts';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const made = (count: number, at?: Date) => Array.from({ length: count }, () => newId(at));

afterEach(() => void vi.useRealTimers());

describe('a new id', () => {
  it('has the form of a version 7 uuid and carries its time, for each time that such a uuid can carry', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(2 ** 48 - 1), noInvalidDate: true }), (at) => {
        const id = newId(at);
        expect(id).toMatch(form);
        expect(timeOfId(id)).toEqual(at);
      }),
    );
    for (const ms of [0, 2 ** 48 - 1]) expect(timeOfId(newId(new Date(ms))).getTime()).toBe(ms);
  });

  it('is of now where no time is given', () => {
    const before = Date.now();
    const time = timeOfId(newId()).getTime();
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('is greater than those made before it, within a millisecond and over many', () => {
    const ids = made(100_000);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is greater than those made before it when the clock is set back', () => {
    const before = newId();
    vi.useFakeTimers({ now: Date.now() - 3_600_000 });
    const after = made(3);
    vi.setSystemTime(Date.now() + 7_200_000);
    const ids = [before, ...after, newId()];
    expect(ids.toSorted()).toEqual(ids);
  });

  it('of a given time is greater than those made before of the same time, also where times come in turn', () => {
    const at = new Date('2024-02-29T12:00:00.123Z');
    const other = new Date('2020-01-01T00:00:00.000Z');
    const pairs = Array.from({ length: 10_000 }, () => [newId(at), newId(other)] as const);
    for (const place of [0, 1] as const) {
      const ids = pairs.map((pair) => pair[place]);
      expect(ids.toSorted()).toEqual(ids);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(pairs.every(([late, early]) => early < late)).toBe(true);
  });

  it('of a given time that is to come does not carry the next id of now along', () => {
    const future = newId(new Date(Date.now() + 86_400_000));
    expect(newId() < future).toBe(true);
  });

  it('does not tell how many were made in the millisecond before, and has chance in each bit that is free', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => newId(new Date(index)).replaceAll('-', ''));
    // The bits of the counter but the first, which is 0, and those of chance.
    const free = ids.map((id) => bits(id.slice(13, 16)).slice(1) + bits(id.slice(16, 32)).slice(2));
    const ones = Array.from({ length: 73 }, (_, place) => free.filter((text) => text[place] === '1').length);
    // 1,000 expected; a fair bit strays from it by more than 6.7 standard deviations once in 10^10 runs.
    expect(ones.filter((count) => Math.abs(count - 1_000) > 150)).toEqual([]);
  });

  it.each([-1, 2 ** 48, Number.NaN])('is refused for the time %d, which it cannot carry', (ms) => {
    expect(() => newId(new Date(ms))).toThrow('from 1970 to 10889');
  });

  it('of now keeps its order while many are made of other times', () => {
    vi.useFakeTimers({ now: Date.now() + 60_000 });
    const ids = Array.from({ length: 20 }, () => {
      for (let ms = 0; ms < 2_000; ms++) newId(new Date(ms));
      return newId();
    });
    expect(ids.toSorted()).toEqual(ids);
  });
});

function bits(hex: string): string {
  return Array.from(hex, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
}
