import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  beta,
  binomial,
  chiSquare,
  type Distribution,
  fisherF,
  kolmogorov,
  normal,
  studentT,
} from '../../src/index.ts';

type Point = readonly [parameters: readonly number[], x: number, lower: number, upper: number];
const { points } = JSON.parse(readFileSync(new URL('../fixtures/distributions.json', import.meta.url), 'utf8')) as {
  readonly points: Readonly<Record<string, readonly Point[]>>;
};

const of = (make: (...parameters: number[]) => Distribution) => make;
const families: Readonly<Record<string, (...parameters: number[]) => Distribution>> = {
  beta: of((a = 1, b = 1) => beta(a, b)),
  binomial: of((n = 1, p = 0) => binomial(n, p)),
  chiSquare: of((df = 1) => chiSquare(df)),
  fisherF: of((df1 = 1, df2 = 1) => fisherF(df1, df2)),
  kolmogorov: of(() => kolmogorov()),
  normal: of(() => normal()),
  studentT: of((df = 1) => studentT(df)),
};

/** Below the normal numbers mpmath's values were cut to 0. */
const relativeError = (got: number, expected: number) =>
  expected === 0 ? (got < 1e-299 ? 0 : Infinity) : Math.abs(got - expected) / expected;

describe.each(Object.entries(families))('%s', (name, family) => {
  const rows = points[name] ?? [];

  it('has points', () => expect(rows.length).toBeGreaterThan(9));

  it('agrees with mpmath to 1e-12 relative in both tails', () => {
    for (const [parameters, x, lower, upper] of rows) {
      const { cdf, sf } = family(...parameters);
      expect(relativeError(cdf(x), lower), `${name}(${parameters.join()}).cdf(${x})`).toBeLessThan(1e-12);
      expect(relativeError(sf(x), upper), `${name}(${parameters.join()}).sf(${x})`).toBeLessThan(1e-12);
    }
  });

  it('is inverted from the smaller tail', () => {
    for (const [parameters, x, lower, upper] of rows) {
      const { cdf, sf, inverseCdf, inverseSf } = family(...parameters);
      const [tail, at, back] = lower < upper ? [lower, cdf, inverseCdf] : [upper, sf, inverseSf];
      if (tail === 0) continue;
      const found = back(tail);
      const error = found === x ? 0 : Math.min(Math.abs(found / x - 1), relativeError(at(found), tail));
      expect(error, `${name}(${parameters.join()}) at ${tail}`).toBeLessThan(1e-12);
    }
  });
});
