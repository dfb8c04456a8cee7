import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  benjaminiHochberg,
  categoryGrid,
  checkProfiles,
  chiSquare,
  defaultTests,
  driftTests,
  explainProfiles,
  mergeProfiles,
  mulberry32,
  populationStability,
  profileCategories,
  profileNumbers,
  quantileGrid,
  requireProfile,
  testProfiles,
  wasserstein,
} from '../../src/index.ts';

const random = mulberry32(5);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const normals = (n: number, shift = 0) => Array.from({ length: n }, () => normal() + shift);
const pairOf = (reference: readonly number[], current: readonly (number | null)[], bins = 10) => {
  const grid = quantileGrid(reference, bins);
  return { grid, reference: profileNumbers(grid, reference), current: profileNumbers(grid, current) };
};

const anyValue = fc.option(
  fc.oneof(fc.double({ min: -9, max: 9 }), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 3, 1e200)),
);
const values = fc.array(anyValue, { maxLength: 30 });

it('counts each value once, in the bin that has it, with what is missing apart', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 30 }),
      values,
      (reference, given) => {
        const grid = quantileGrid(reference, 4);
        const profile = profileNumbers(grid, given);
        expect(requireProfile(grid, profile)).toBe(given.length);
        grid.edges.forEach((edge, i) => {
          const below = given.filter((value) => value !== null && value < edge).length;
          expect(profile.counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0)).toBe(below);
        });
        const own = profileNumbers(grid, reference);
        expect([own.counts[0], own.counts.at(-1)]).toEqual([0, 0]);
      },
    ),
  );
});

it('profiles of parts merge to the profile of all', () => {
  fc.assert(
    fc.property(values, values, (one, other) => {
      const grid = quantileGrid([-5, 0, 1, 2, 5], 3);
      const merged = mergeProfiles(grid, [profileNumbers(grid, one), profileNumbers(grid, other)]);
      const { moments, ...whole } = profileNumbers(grid, [...one, ...other]);
      expect(merged).toMatchObject(whole);
      if (merged.kind === 'number') expect(merged.moments.mean).toBeCloseTo(moments.mean, 9);
    }),
  );
  const grid = categoryGrid(new Map([['a', 2]]));
  const merged = mergeProfiles(grid, [profileCategories(grid, ['a', 'b', null]), profileCategories(grid, ['a'])]);
  expect(merged).toEqual({ kind: 'category', counts: [2, 0, 1], nulls: 1, singletons: null });
});

it('refuses profiles and grids that do not fit', () => {
  const grid = quantileGrid([1, 2, 3], 2);
  const other = categoryGrid(new Map([['a', 1]]));
  expect(() => mergeProfiles(grid, [profileCategories(other, ['a'])])).toThrow('same grid');
  expect(() => requireProfile(other, profileNumbers(grid, [1]))).toThrow('kind of its grid');
  expect(() => profileNumbers({ kind: 'number', edges: [2, 1] }, [1])).toThrow('ascend');
  expect(() => quantileGrid([Number.NaN])).toThrow('finite value');
});

it('a category that is known but has no bin is other, and without all that are known none is new', () => {
  const counts = new Map([
    ['a', 5],
    ['b', 3],
    ['c', 1],
  ]);
  const grid = categoryGrid(counts, { bins: 1, known: 3 });
  expect(profileCategories(grid, ['a', 'b', 'c', 'd']).counts).toEqual([1, 2, 1]);
  const open = categoryGrid(counts, { bins: 1, known: 2 });
  expect(profileCategories(open, ['a', 'b', 'c', 'd']).counts).toEqual([1, 3, 0]);
  const profile = profileCategories(open, ['a']);
  expect(testProfiles({ grid: open, reference: profile, current: profile, test: 'new_category' }).reason).toMatch(
    /none is new/,
  );
});

it('PSI and its threshold are those of the formulas where bins are full', () => {
  const pair = pairOf(normals(40_000), normals(40_000));
  const { value } = testProfiles({ ...pair, test: 'psi' });
  const inner = (counts: readonly number[]) => {
    const folded = counts.slice(1, -1);
    folded[0] = (folded[0] ?? 0) + (counts[0] ?? 0);
    folded[9] = (folded[9] ?? 0) + (counts.at(-1) ?? 0);
    return folded;
  };
  const formula = populationStability({ reference: inner(pair.reference.counts), current: inner(pair.current.counts) });
  expect(value?.distance).toBeCloseTo(formula.value ?? 0, 12);
  expect(value?.threshold).toBeCloseTo((2 / 40_000) * chiSquare(9).inverseSf(0.05), 12);
  // Draws of fewer values agree with it.
  const fewer = testProfiles({ ...pairOf(normals(3_000), normals(3_000)), test: 'psi' }).value;
  expect((fewer?.threshold ?? 0) / ((2 / 3_000) * chiSquare(9).inverseSf(0.05))).toBeCloseTo(1, 0.9);
});

it("Wasserstein on the grid is near that of the values, and KS within its resolution of the values' D", () => {
  const [before, after] = [normals(3_000), normals(3_000, 0.4)];
  const pair = pairOf(before, after, 50);
  const exact = wasserstein({ values: before }, { values: after }).value ?? 0;
  expect(Math.abs((testProfiles({ ...pair, test: 'wasserstein' }).value?.distance ?? 0) - exact)).toBeLessThan(0.03);
  const ks = testProfiles({ ...pair, test: 'ks' }).value;
  const below = (sample: readonly number[], at: number) => sample.filter((value) => value < at).length / sample.length;
  const d = Math.max(...before.map((at) => Math.abs(below(before, at) - below(after, at))));
  expect(ks?.distance).toBeLessThanOrEqual(d + 1e-12);
  expect((ks?.distance ?? 0) + (ks?.resolution ?? 0)).toBeGreaterThanOrEqual(d);
});

it('of 300 windows without drift each test finds some 5 per cent at n = 100, and far fewer than a fixed PSI', () => {
  const found = new Map<string, number>();
  let fixed = 0;
  for (let run = 0; run < 300; run += 1) {
    const pair = pairOf(normals(100), normals(100));
    for (const test of driftTests) {
      const { value } = testProfiles({ ...pair, test });
      if (value !== null && value.p <= 0.05) found.set(test, (found.get(test) ?? 0) + 1);
      if (test === 'psi' && (value?.distance ?? 0) >= 0.1) fixed += 1;
    }
  }
  // Five standard errors above 15.
  for (const [, count] of found) expect(count).toBeLessThan(34);
  expect(found.get('wasserstein')).toBeGreaterThan(3);
  expect(fixed).toBeGreaterThan(120);
});

it('is the same for the same counts, and p and threshold agree', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 6, maxLength: 6 }), (counts) => {
      const pair = pairOf(
        Array.from({ length: 50 }, (_, n) => n),
        counts.flatMap((count, i) => Array.from({ length: count }, () => i * 9)),
        5,
      );
      for (const test of ['psi', 'ks', 'jensen_shannon', 'hellinger', 'chi_square', 'wasserstein'] as const) {
        const [one, other] = [testProfiles({ ...pair, test }), testProfiles({ ...pair, test })];
        expect(one).toEqual(other);
        if (one.value === null || test === 'wasserstein') continue;
        expect(one.value.p <= 0.05).toBe(one.value.distance > one.value.threshold * (1 + 1e-8));
      }
    }),
    { numRuns: 30 },
  );
});

it('a rise of missing values and new categories are found though what is there did not change', () => {
  const present = normals(400);
  const pair = pairOf(present, [...present.slice(0, 200), ...Array.from({ length: 40 }, () => null)]);
  const verdicts = checkProfiles([pair]).tests.map(({ test, verdict }) => `${test} ${verdict}`);
  expect(verdicts).toEqual(['ks stable', 'null_rate drift']);
  const names = Array.from({ length: 400 }, (_, n) => (n % 2 === 0 ? 'a' : 'b'));
  const grid = categoryGrid(
    new Map([
      ['a', 200],
      ['b', 200],
    ]),
  );
  const current = profileCategories(grid, [...names, ...Array.from({ length: 20 }, () => 'c')]);
  const check = checkProfiles([{ grid, reference: profileCategories(grid, names), current }]);
  expect(check.tests.find(({ test }) => test === 'new_category')?.verdict).toBe('drift');
});

it('as many new categories as a reference of many rare ones lets expect are no drift', () => {
  const name = () => `user ${Math.floor(random() * 2_000)}`;
  const names = (n: number) => Array.from({ length: n }, name);
  const before = names(500);
  const counts = new Map<string, number>();
  for (const one of before) counts.set(one, (counts.get(one) ?? 0) + 1);
  const grid = categoryGrid(counts);
  const pair = { grid, reference: profileCategories(grid, before), current: profileCategories(grid, names(500)) };
  const { value } = testProfiles({ ...pair, test: 'new_category' });
  expect((pair.current.counts.at(-1) ?? 0) / 500).toBeGreaterThan(0.5);
  expect(value?.p).toBeGreaterThan(0.001);
});

it('adjusts over all tests, says what is negligible, and how many false alarms are to be expected', () => {
  const pairs = [pairOf(normals(20_000), normals(20_000, 0.06)), pairOf(normals(20_000), normals(20_000, 1))];
  const check = checkProfiles(pairs, { checksAMonth: 30, alpha: 0.01 });
  expect(check.falseChecksAMonth).toBeCloseTo(0.3, 12);
  expect(check.tests.map(({ verdict }) => verdict)).toEqual(['negligible', 'stable', 'drift', 'stable']);
  const p = check.tests.map(({ result }) => Math.min(1, result?.p ?? 1));
  expect(check.tests.map(({ adjustedP }) => adjustedP)).toEqual(benjaminiHochberg(p));
});

it('takes the tests of a type and size', () => {
  const small = pairOf(normals(100), normals(5_000));
  const large = pairOf(normals(1_000), normals(5_000));
  expect(defaultTests(small.grid, small.reference, small.current)).toEqual(['ks', 'null_rate']);
  expect(defaultTests(large.grid, large.reference, large.current)).toEqual(['wasserstein', 'null_rate']);
});

it('what is undefined has a reason', () => {
  const pair = pairOf([1, 1, 1], [1, 1]);
  expect(testProfiles({ ...pair, test: 'psi' }).reason).toBe('All values stand in one bin.');
  expect(testProfiles({ ...pair, test: 'wasserstein' }).reason).toMatch(/all the same/);
  expect(testProfiles({ ...pairOf([1, 2], []), test: 'ks' }).reason).toMatch(/no values/);
  expect(testProfiles({ ...pair, test: 'new_category' }).reason).toMatch(/categories/);
});

it('the parts of bins, and of what is missing, sum to PSI, and the largest is where it moved', () => {
  const reference = normals(1_000);
  const pair = pairOf(reference, [...reference.map((value) => (value > 1.3 ? 9 : value)), null]);
  const bins = explainProfiles(pair.grid, pair.reference, pair.current).value ?? [];
  const most = bins.reduce((one, other) => (other.share > one.share ? other : one));
  expect(most.kind).toBe('over');
  expect(bins.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  expect(bins.at(-1)?.kind).toBe('missing');
});
