import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AllocatedRange, bucketRanges, reallocate, StatsError } from '../../src/index.ts';

const cumulative = (weights: readonly number[], coverage = 1): readonly AllocatedRange[] =>
  bucketRanges({ variants: weights.length, coverage, weights }).map((range, variant) => ({ variant, range }));

/** -1 where nobody takes the place. */
const variantAt = (place: number, ranges: readonly AllocatedRange[]) =>
  ranges.find(({ range: [start, end] }) => place >= start && place < end)?.variant ?? -1;

const shareOf = (variant: number, ranges: readonly AllocatedRange[]) =>
  ranges.reduce((sum, { range: [start, end], ...each }) => sum + (each.variant === variant ? end - start : 0), 0);

const weightsOf = (variants: number) =>
  fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: variants, maxLength: variants })
    .filter((parts) => parts.some((part) => part > 0))
    .map((parts) => {
      const total = parts.reduce((sum, part) => sum + part, 0);
      return parts.map((part) => part / total);
    });
const step = fc.record({ weights: weightsOf(4), coverage: fc.integer({ min: 0, max: 20 }).map((n) => n / 20) });

describe('reallocate', () => {
  it('moves 16.7 % from equal thirds to 50, 25 and 25 %, where ranges from 0 move 25 %', () => {
    const thirds = cumulative([1 / 3, 1 / 3, 1 / 3]);
    const { ranges, moved, isSdkCompatible } = reallocate({ allocation: thirds, weights: [0.5, 0.25, 0.25] });
    expect(moved).toBeCloseTo(1 / 6, 12);
    expect(isSdkCompatible).toBe(false);
    const anew = cumulative([0.5, 0.25, 0.25]);
    const places = Array.from({ length: 12_000 }, (_, i) => i / 12_000);
    const share = (others: readonly AllocatedRange[]) =>
      places.filter((place) => variantAt(place, thirds) !== variantAt(place, others)).length / places.length;
    expect(share(ranges)).toBeCloseTo(1 / 6, 3);
    expect(share(anew)).toBeCloseTo(1 / 4, 3);
  });

  it('keeps the ranges of an SDK where these move no more, as where coverage grows', () => {
    const before = cumulative([0.2, 0.3, 0.5], 0.4);
    const after = reallocate({ allocation: before, coverage: 0.9, weights: [0.2, 0.3, 0.5] });
    expect(after.isSdkCompatible).toBe(true);
    expect(after.ranges).toEqual(cumulative([0.2, 0.3, 0.5], 0.9));
  });

  it('gives each variant its share, moves no more than it must, and moves nobody where coverage grows', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        let before: readonly AllocatedRange[] = [];
        for (const { weights, coverage } of steps) {
          const { ranges, moved } = reallocate({ allocation: before, weights, coverage });
          let least = Math.max(0, before.reduce((free, { range }) => free - range[1] + range[0], 1) - (1 - coverage));
          weights.forEach((weight, variant) => {
            expect(Math.abs(shareOf(variant, ranges) - weight * coverage)).toBeLessThan(1e-9);
            least += Math.max(0, shareOf(variant, before) - weight * coverage);
          });
          expect(Math.abs(moved - least)).toBeLessThan(1e-9);
          const starts = ranges.map(({ range }) => range[0]);
          expect(starts).toEqual(starts.toSorted((a, b) => a - b));
          ranges.forEach(({ range }, i) => {
            expect(range[1]).toBeLessThanOrEqual((ranges[i + 1]?.range[0] ?? 1) + 1e-9);
          });
          const grown = reallocate({ allocation: ranges, weights, coverage: coverage + (1 - coverage) / 2 });
          for (let i = 0; i < 200; i++) {
            const place = (i + 0.5) / 200;
            const was = variantAt(place, ranges);
            if (was !== -1) expect(variantAt(place, grown.ranges)).toBe(was);
          }
          before = ranges;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses shares and ranges that cannot be', () => {
    const allocation = cumulative([0.5, 0.5]);
    expect(() => reallocate({ allocation, weights: [0.5, 0.4] })).toThrow('weights must sum to 1');
    expect(() => reallocate({ allocation, weights: [1.5, -0.5] })).toThrow(StatsError);
    expect(() => reallocate({ allocation, weights: [0.5, 0.5], coverage: 2 })).toThrow(StatsError);
    const overlapping = [...allocation, { variant: 0, range: [0.2, 0.3] as const }];
    expect(() => reallocate({ allocation: overlapping, weights: [0.5, 0.5] })).toThrow('not overlap');
  });
});
