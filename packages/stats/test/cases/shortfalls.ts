import type { Tolerance } from './case-file.ts';

/** What differs at one place, such as `curve[2].f1`. */
export interface Shortfall {
  readonly path: string;
  readonly got: unknown;
  readonly expected: unknown;
}

/** Where `got` lacks what is expected or is too far from it; what it holds beyond that is not compared. */
export function shortfalls(got: unknown, expected: unknown, tolerance: Tolerance, path = ''): readonly Shortfall[] {
  const here = { path: path === '' ? '.' : path, got, expected };
  if (typeof expected === 'number') {
    return typeof got === 'number' && isClose(got, expected, tolerance) ? [] : [here];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return [here];
    return expected.flatMap((value, i) => shortfalls(got[i], value, tolerance, `${path}[${i}]`));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof got !== 'object' || got === null) return [here];
    const fields = got as Readonly<Record<string, unknown>>;
    return Object.entries(expected).flatMap(([name, value]) =>
      shortfalls(fields[name], value, tolerance, path === '' ? name : `${path}.${name}`),
    );
  }
  return got === expected ? [] : [here];
}

function isClose(got: number, expected: number, { tol, mode }: Tolerance): boolean {
  return Math.abs(got - expected) <= tol * (mode === 'rel' ? Math.abs(expected) : Math.max(1, Math.abs(expected)));
}
