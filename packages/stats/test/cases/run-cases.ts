import type { Case } from './case-file.ts';
import { assignmentKinds } from './kinds/assignment.ts';
import { driftKinds } from './kinds/drift.ts';
import { evaluationKinds } from './kinds/evaluation.ts';
import { experimentKinds } from './kinds/experiments.ts';
import { pairedKinds } from './kinds/paired.ts';
import { performanceKinds } from './kinds/performance.ts';
import { sequentialKinds } from './kinds/sequential.ts';
import { testKinds } from './kinds/tests.ts';
import { type Shortfall, shortfalls } from './shortfalls.ts';

/** Computes what a kind of case expects, from its input, in the names of its file. */
type Kind = (input: never) => unknown;

const kinds: Readonly<Record<string, Kind>> = {
  ...assignmentKinds,
  ...driftKinds,
  ...evaluationKinds,
  ...experimentKinds,
  ...pairedKinds,
  ...performanceKinds,
  ...sequentialKinds,
  ...testKinds,
};

/** What became of a case. */
export type CaseResult =
  | { readonly status: 'passed' }
  | { readonly status: 'failed'; readonly shortfalls: readonly Shortfall[] };

/** Runs one case. A kind that nobody knows fails. */
export function runCase({ kind, input, expected, tolerance }: Case): CaseResult {
  const compute = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (compute === undefined) {
    return { status: 'failed', shortfalls: [{ path: 'kind', got: 'unknown', expected: kind }] };
  }
  let got: unknown;
  try {
    got = compute(input as never);
  } catch (error) {
    got = error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
  const found = shortfalls(got, expected, tolerance);
  return found.length === 0 ? { status: 'passed' } : { status: 'failed', shortfalls: found };
}
