import { GrowthBook } from '@growthbook/growthbook';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  bucketRanges,
  chooseVariant,
  type HashVersion,
  hashUnit,
  isInNamespace,
  StatsError,
  unitHasher,
} from '../../src/index.ts';

/** Any valid text: surrogates in pairs, and no NUL. */
const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((given) => !/[\0\p{Cs}]/u.test(given));
const unit = text.filter((given) => given !== '');

describe('hashUnit', () => {
  it('takes UTF-16 code units: a pair of surrogates is two', () => {
    // By hand: FNV-1a over 0xd83d, 0xde00, then over the digits of that hash.
    const step = (hash: bigint, code: number) => ((hash ^ BigInt(code)) * 0x01000193n) & 0xffffffffn;
    const fnv1a = (codes: readonly number[]) => codes.reduce(step, 0x811c9dc5n);
    const digits = String(fnv1a([0xd83d, 0xde00]));
    const place = fnv1a(Array.from(digits, (digit) => digit.charCodeAt(0))) % 10_000n;
    expect(hashUnit({ seed: '', unit: '😀' })).toBe(Number(place) / 10_000);
  });

  it('refuses what PostgreSQL and other languages cannot hold, and versions that nobody knows', () => {
    for (const bad of ['\ud83d', 'a\0b']) {
      expect(() => hashUnit({ seed: 'a', unit: bad })).toThrow(StatsError);
      expect(() => hashUnit({ seed: bad, unit: 'a' })).toThrow(StatsError);
    }
    expect(() => hashUnit({ seed: 'a', unit: 'b', version: 3 as HashVersion })).toThrow('must be 1 or 2');
  });

  it('gives with its seed taken once what it gives each time', () => {
    const any = fc.constantFrom<HashVersion>(1, 2);
    fc.assert(
      fc.property(text, fc.array(text), any, (seed, units, version) => {
        const place = unitHasher({ seed, version });
        for (const unit of units) expect(place(unit)).toBe(hashUnit({ seed, unit, version }));
      }),
    );
    expect(() => unitHasher({ seed: 'a\0' })).toThrow(StatsError);
    expect(() => unitHasher({ seed: 'a' })('\ud83d')).toThrow('unit must hold no NUL');
  });

  it('spreads 100,000 ids evenly over ten parts', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let id = 0; id < 100_000; id++) {
      const part = Math.floor(hashUnit({ seed: 'spread', unit: String(id) }) * 10);
      counts[part] = (counts[part] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });
});

describe('beside the SDK of GrowthBook', () => {
  const variations = ['a', 'b', 'c'] as [string, string, string];
  const experiment = fc.record({
    unit,
    seed: unit,
    hashVersion: fc.constantFrom(1, 2) as fc.Arbitrary<HashVersion>,
    coverage: fc.integer({ min: -10, max: 150 }).map((percent) => percent / 100),
    weights: fc.oneof(
      fc.constantFrom<number[]>([0.2, 0.3, 0.5], [0.5, 0.5], [1, 0, 0], [0.4, 0.3, 0.2999], [0.7, 0.6, 0.1]),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    ),
    namespace: fc.option(
      fc.tuple(
        unit,
        fc.integer({ min: 0, max: 30 }).map((percent) => percent / 100),
        fc.integer({ min: 60, max: 100 }).map((percent) => percent / 100),
      ),
    ),
  });

  it('every unit gets the variant that its SDK gives', () => {
    // It warns of each weight and coverage that it mends.
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    let assigned = 0;
    fc.assert(
      fc.property(experiment, ({ unit: id, seed, hashVersion, coverage, weights, namespace }) => {
        const sdk = new GrowthBook({ attributes: { id } });
        const theirs = sdk.run({
          ...{ key: 'experiment', variations, seed, hashVersion, coverage, weights },
          ...(namespace === null ? {} : { namespace }),
        });
        sdk.destroy();
        const ranges = bucketRanges({ variants: 3, coverage, weights });
        const isEligible =
          namespace === null || isInNamespace(id, { name: namespace[0], range: [namespace[1], namespace[2]] });
        const ours = isEligible ? chooseVariant(hashUnit({ seed, unit: id, version: hashVersion }), ranges) : -1;
        expect(ours).toBe(theirs.inExperiment ? theirs.variationId : -1);
        if (ours >= 0) assigned++;
      }),
      { numRuns: 2_000 },
    );
    expect(assigned).toBeGreaterThan(500);
  });
});

describe('bucketRanges', () => {
  it('grows with coverage without moving anybody', () => {
    fc.assert(
      fc.property(
        unit,
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        (id, pair) => {
          const place = hashUnit({ seed: 'coverage', unit: id });
          const weights = [0.2, 0.3, 0.5];
          const [less, more] = [Math.min(...pair), Math.max(...pair)].map((coverage) =>
            chooseVariant(place, bucketRanges({ variants: 3, coverage, weights })),
          );
          if (less !== -1) expect(more).toBe(less);
        },
      ),
    );
  });

  it('refuses what is no number, and gives no range for no variant', () => {
    expect(() => bucketRanges({ variants: 2, coverage: Number.NaN })).toThrow(StatsError);
    expect(() => bucketRanges({ variants: 2, weights: [0.5, Number.NaN] })).toThrow(StatsError);
    expect(() => bucketRanges({ variants: 1.5 })).toThrow(StatsError);
    expect(bucketRanges({ variants: 0 })).toEqual([]);
  });
});
