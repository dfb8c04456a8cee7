import { binomial, mulberry32, quantileOfSorted } from '@mcp-hub/stats';

/** What a unit brings: `y` its value, `x` its covariate or denominator. The caller's object is filled, as there are millions. */
export interface Unit {
  x: number;
  y: number;
}

export type DrawUnit = (unit: Unit) => void;

/** A population: from a source of numbers in [0, 1), its units one by one; `lift` multiplies what the treatment brings. */
export type Population = (random: () => number, lift: number) => DrawUnit;

/** Standard normal numbers, by Box and Muller. */
export function normals(random: () => number): () => number {
  let kept: number | undefined;
  return () => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Values about 1 with standard deviation 1. */
export const normalValues: Population = (random, lift) => {
  const normal = normals(random);
  return (unit) => {
    unit.x = 0;
    unit.y = lift + normal();
  };
};

/** One in ten converts. */
export const conversions: Population = (random, lift) => (unit) => {
  unit.x = 0;
  unit.y = random() < 0.1 * lift ? 1 : 0;
};

/** One in five buys, for an amount that is log-normal: the largest are hundreds of times the middle ones. */
export const revenue: Population = (random, lift) => {
  const normal = normals(random);
  return (unit) => {
    unit.x = 0;
    unit.y = random() < 0.2 ? lift * Math.exp(normal()) : 0;
  };
};

/** What a unit did before and does during the experiment, correlated by 0.7, both skewed. */
export const withHistory: Population = (random, lift) => {
  const normal = normals(random);
  const rest = Math.sqrt(1 - historyCorrelation ** 2);
  return (unit) => {
    const before = normal();
    unit.x = 3 + before + 0.1 * before * before;
    unit.y = lift * (3 + historyCorrelation * before + rest * normal());
  };
};

export const historyCorrelation = 0.7;

/** Clicks (y) over views (x): units have 1 to 20 views and each a rate of its own. */
export const clicksOfViews: Population = (random, lift) => (unit) => {
  const views = 1 + Math.floor(20 * random() ** 2);
  const rate = 0.4 * random() * lift;
  let clicks = 0;
  for (let view = 0; view < views; view++) if (random() < rate) clicks++;
  unit.x = views;
  unit.y = clicks;
};

/** How many of n trials succeed, by inversion: exact to the 32 bits of the source. */
export function binomials(random: () => number, p: number): (n: number) => number {
  const tables = new Map<number, Float64Array>();
  return (n) => {
    let table = tables.get(n);
    if (table === undefined) {
      const distribution = binomial(n, p);
      table = Float64Array.from({ length: n }, (_, k) => distribution.cdf(k));
      tables.set(n, table);
    }
    const u = random();
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((table[middle] ?? 1) > u) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** A quantile of values with the two that bound it, as a snapshot takes them. Sorts the values. */
export function quantileOf(values: Float64Array, level: number) {
  values.sort();
  const reach = 1.959963984540054 * Math.sqrt((level * (1 - level)) / values.length);
  return {
    n: values.length,
    quantile: quantileOfSorted(values, level),
    lower: quantileOfSorted(values, Math.max(0, level - reach)),
    upper: quantileOfSorted(values, Math.min(1, level + reach)),
  };
}

/**
 * A source of its own for each part of the evidence and each repetition, so that a shorter run is the beginning of a longer.
 *
 * Two generators added modulo 1: a single one has 2^32 states, so that of thousands of repetitions with tens of thousands
 * of units many would share a stretch of them.
 */
export function sourceOf(part: string, repetition: number): () => number {
  let seed = 0x811c9dc5;
  for (const character of part) seed = Math.imul(seed ^ character.charCodeAt(0), 0x01000193);
  const first = mulberry32(mixed(seed + repetition));
  const second = mulberry32(mixed(Math.imul(seed, 0x9e3779b1) + mixed(repetition)));
  return () => {
    const sum = first() + second();
    return sum < 1 ? sum : sum - 1;
  };
}

/** The last steps of MurmurHash3: neighbouring numbers come to lie far apart. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
