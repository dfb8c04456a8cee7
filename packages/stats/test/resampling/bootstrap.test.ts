import { expect, it } from 'vitest';
import { bootstrap, mulberry32, quantileOfSorted } from '../../src/index.ts';

it('mulberry32 gives the numbers of its published form', () => {
  const random = mulberry32(42);
  expect([random(), random(), random()]).toEqual([0.6011037519201636, 0.44829055899754167, 0.8524657934904099]);
  expect(() => mulberry32(0.5)).toThrow('integer');
});

it('quantiles interpolate linearly', () => {
  expect([0, 0.25, 0.4, 1].map((level) => quantileOfSorted([1, 2, 4], level))).toEqual([1, 1.5, 1.8, 4]);
  expect(() => quantileOfSorted([], 0.5)).toThrow('at least one value');
  expect(() => quantileOfSorted([1, Number.NaN], 0.5)).toThrow('finite');
  expect(quantileOfSorted([-1.6e308, 1.6e308], 0.75) / 0.8e308).toBeCloseTo(1, 14);
});

it('one draw has no error of its own, and a draw that is no number is refused', () => {
  const one = { rows: 3, seed: 1, resamples: 1 };
  expect(bootstrap({ ...one, statistic: (rows) => rows[0] ?? 0 }).value?.standardError).toBeNull();
  expect(() => bootstrap({ ...one, statistic: () => Number.NaN })).toThrow('finite');
});

it('the error of a mean is that of its sample', () => {
  const values = Array.from({ length: 200 }, (_, i) => Math.sin(i));
  const statistic = (rows: Uint32Array) => rows.reduce((all, row) => all + (values[row] ?? 0), 0) / rows.length;
  const found = bootstrap({ rows: 200, statistic, seed: 3, resamples: 2000 }).value;
  const deviation = Math.sqrt(0.5 / 200);
  expect(found?.standardError).toBeGreaterThan(deviation * 0.9);
  expect(found?.standardError).toBeLessThan(deviation * 1.1);
  expect(found).toMatchObject({ generator: 'mulberry32', seed: 3, resamples: 2000, skipped: 0 });
});
