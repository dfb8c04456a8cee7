import { readFileSync } from 'node:fs';

/** How far a number may be from the expected one: `rel` by tol · |expected|, `abs_or_rel` by tol · max(1, |expected|). */
export interface Tolerance {
  readonly tol: number;
  readonly mode: 'abs_or_rel' | 'rel';
}

/** One case: what goes in, and what has to come out. */
export interface Case {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly expected: unknown;
  readonly tolerance: Tolerance;
}

interface CaseRow {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly expected: unknown;
  readonly tol?: number;
  readonly tol_mode?: Tolerance['mode'];
}

/** A list of cases that carry their tolerance, or cases under one tolerance. */
type CaseFile = readonly CaseRow[] | { readonly tolerance: number; readonly cases: readonly CaseRow[] };

/** The cases of a file of either form. */
export function readCases(path: string | URL): readonly Case[] {
  const file = JSON.parse(readFileSync(path, 'utf8')) as CaseFile;
  const rows = 'cases' in file ? file.cases : file;
  const common = 'cases' in file ? file.tolerance : 0;
  return rows.map(({ id, kind, input, expected, tol = common, tol_mode: mode = 'abs_or_rel' }) => ({
    id,
    kind,
    input,
    expected,
    tolerance: { tol, mode },
  }));
}
