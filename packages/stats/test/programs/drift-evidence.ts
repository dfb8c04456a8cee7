import {
  categoryGrid,
  checkProfiles,
  type DriftTest,
  mulberry32,
  profileCategories,
  profileNumbers,
  quantileGrid,
  testProfiles,
} from '../../src/index.ts';

// `npm run evidence -- drift`: how often drift is found where there is none, and where there is. A reference and a window of
// the same size; bins by quantiles of the reference. `--runs N` (default 2,000).

const runs = Number(process.argv[process.argv.indexOf('--runs') + 1] || 2_000);
const random = mulberry32(20_260_504);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

type Draw = () => number;
const lognormal: Draw = () => Math.exp(normal());
const whole: Draw = () => Math.floor(-3 * Math.log(1 - random()));

/** Eight categories, the rarest one of a hundred. */
const shares = [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.04, 0.01];
function category(moved: number): string {
  let left = random();
  for (const [i, share] of shares.entries()) {
    // What moves goes from the first to the second.
    left -= i === 0 ? share - moved : i === 1 ? share + moved : share;
    if (left <= 0) return `category ${i}`;
  }
  return 'category 7';
}

const sample = (n: number, draw: Draw) => Array.from({ length: n }, draw);
const numberTests: readonly DriftTest[] = ['psi', 'jensen_shannon', 'hellinger', 'chi_square', 'ks', 'wasserstein'];
const categoryTests: readonly DriftTest[] = ['psi', 'jensen_shannon', 'hellinger', 'chi_square'];

interface Found {
  /** By test: how often p was at most 0.05, and how often the verdict would be drift. */
  readonly sure: ReadonlyMap<string, number>;
  readonly drift: ReadonlyMap<string, number>;
}

function count(
  times: number,
  one: () => readonly { readonly test: string; readonly sure: boolean; readonly drift: boolean }[],
): Found {
  const sure = new Map<string, number>();
  const drift = new Map<string, number>();
  for (let run = 0; run < times; run += 1) {
    for (const found of one()) {
      sure.set(found.test, (sure.get(found.test) ?? 0) + Number(found.sure) / times);
      drift.set(found.test, (drift.get(found.test) ?? 0) + Number(found.drift) / times);
    }
  }
  return { sure, drift };
}

function numbers(n: number, times: number, from: Draw, to: Draw): Found {
  return count(times, () => {
    const before = sample(n, from);
    const grid = quantileGrid(before);
    const [reference, current] = [profileNumbers(grid, before), profileNumbers(grid, sample(n, to))];
    const tested = numberTests.map((test) => judged(test, testProfiles({ grid, reference, current, test }).value));
    const psi = tested[0]?.distance ?? 0;
    return [
      ...tested,
      ...[0.1, 0.2].map((limit) => ({ test: `PSI >= ${limit}`, sure: psi >= limit, drift: psi >= limit })),
    ];
  });
}

function categories(n: number, times: number, moved: number): Found {
  return count(times, () => {
    const before = Array.from({ length: n }, () => category(0));
    const counts = new Map<string, number>();
    for (const name of before) counts.set(name, (counts.get(name) ?? 0) + 1);
    const grid = categoryGrid(counts);
    const after = Array.from({ length: n }, () => category(moved));
    const [reference, current] = [profileCategories(grid, before), profileCategories(grid, after)];
    const tested = categoryTests.map((test) => judged(test, testProfiles({ grid, reference, current, test }).value));
    const psi = tested[0]?.distance ?? 0;
    return [
      ...tested,
      ...[0.1, 0.2].map((limit) => ({ test: `PSI >= ${limit}`, sure: psi >= limit, drift: psi >= limit })),
    ];
  });
}

const judged = (test: string, found: ReturnType<typeof testProfiles>['value']) => ({
  ...{ test, sure: (found?.p ?? 1) <= 0.05, distance: found?.distance ?? 0 },
  drift: (found?.p ?? 1) <= 0.05 && (found?.distance ?? 0) >= (found?.floor ?? 0),
});

/** How often a check of 20 features that did not drift names any. */
function checks(n: number, times: number): number {
  let named = 0;
  for (let run = 0; run < times; run += 1) {
    const compared = Array.from({ length: 20 }, () => {
      const before = sample(n, normal);
      const grid = quantileGrid(before);
      return { grid, reference: profileNumbers(grid, before), current: profileNumbers(grid, sample(n, normal)) };
    });
    if (checkProfiles(compared).tests.some(({ verdict }) => verdict === 'drift' || verdict === 'negligible'))
      named += 1;
  }
  return named / times;
}

function print(title: string, found: Found, by: 'sure' | 'drift') {
  const cells = [...found[by]].map(([test, share]) => `${test} ${(100 * share).toFixed(1)}`);
  console.log(`${title.padEnd(46)} ${cells.join('  ')}`);
}

console.log(`Per cent of ${runs} windows. Without drift, by p <= 0.05:`);
for (const n of [100, 500, 5_000]) {
  const times = n > 1_000 ? Math.ceil(runs / 2) : runs;
  print(`n = ${n}, normal`, numbers(n, times, normal, normal), 'sure');
  if (n < 1_000) print(`n = ${n}, lognormal`, numbers(n, times, lognormal, lognormal), 'sure');
  if (n < 1_000) print(`n = ${n}, small whole numbers`, numbers(n, times, whole, whole), 'sure');
  print(`n = ${n}, eight categories`, categories(n, times, 0), 'sure');
}
console.log('\nA check of 20 features by their default tests, without drift, that names any (5 is stated):');
for (const n of [100, 500, 5_000]) {
  console.log(`n = ${n}`.padEnd(46), (100 * checks(n, Math.ceil(runs / (n > 1_000 ? 10 : 4)))).toFixed(1));
}
console.log('\nWith drift, called so (sure, and at least the floor):');
const drifts: readonly (readonly [string, Draw])[] = [
  ['mean by 0.2 deviations', () => normal() + 0.2],
  ['mean by 0.5 deviations', () => normal() + 0.5],
  ['deviation by 1.3', () => normal() * 1.3],
];
for (const n of [100, 500, 5_000]) {
  const times = Math.ceil(runs / (n > 1_000 ? 10 : 4));
  for (const [name, draw] of drifts) print(`n = ${n}, ${name}`, numbers(n, times, normal, draw), 'drift');
  print(`n = ${n}, a tenth moves to another category`, categories(n, times, 0.1), 'drift');
}
