import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thinRows } from '../src/thin-rows.ts';

const value = fc.oneof(fc.integer({ min: -1_000, max: 1_000 }), fc.constant(null));
const pair = fc.record({ a: value, b: value });
const measures = [({ a }: { a: number | null }) => a, ({ b }: { b: number | null }) => b];

describe('thinRows', () => {
  it('keeps at most as many as it is told, in their order, with the ends and each extreme', () => {
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 1, maxLength: 400, size: 'max' }),
        fc.integer({ min: 20, max: 200 }),
        (rows, maxRows) => {
          const kept = thinRows(rows, { maxRows, measures });
          expect(kept.length).toBeLessThanOrEqual(maxRows);
          expect(kept[0]).toBe(rows[0]);
          expect(kept.at(-1)).toBe(rows.at(-1));
          const positions = kept.map((row) => rows.indexOf(row));
          expect(positions).toEqual(positions.toSorted((a, b) => a - b));
          for (const measure of measures) {
            const all = rows.map(measure).filter((found) => found !== null);
            const left = kept.map(measure).filter((found) => found !== null);
            expect([Math.min(...left), Math.max(...left)]).toEqual([Math.min(...all), Math.max(...all)]);
            expect(left.length < kept.length).toBe(all.length < rows.length);
          }
        },
      ),
    );
  });

  it('gives the same rows each time, and all of few', () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => ({ a: Math.sin(i) }));
    const thin = () => thinRows(rows, { maxRows: 500, measures: [({ a }) => a] });
    expect(thin()).toEqual(thin());
    expect(thin().length).toBeGreaterThan(300);
    expect(thinRows(rows, { maxRows: 5_000, measures: [({ a }) => a] })).toBe(rows);
  });

  it('keeps a gap that is alone among its neighbours', () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => ({ a: i === 2_345 ? null : i % 7 }));
    expect(thinRows(rows, { maxRows: 100, measures: [({ a }) => a] })).toContain(rows[2_345]);
  });

  it('keeps what it is told to keep, beyond the number', () => {
    const rows = Array.from({ length: 1_000 }, (_, a) => ({ a }));
    const kept = thinRows(rows, { maxRows: 20, measures: [({ a }) => a], keep: ({ a }) => a % 10 === 5 });
    expect(kept.filter(({ a }) => a % 10 === 5)).toHaveLength(100);
  });
});
