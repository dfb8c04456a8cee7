import { benjaminiHochberg } from '../families/corrections.ts';
import { requireNonNegative, requireOpenProbability } from '../inputs.ts';
import type { Grid } from './grid.ts';
import { type Profile, presentCount } from './profile.ts';
import { type DriftTest, type ProfileTest, testProfiles } from './profile-test.ts';

/** One feature, score or label on both sides. */
export interface ComparedProfiles {
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
  /** Default: defaultTests. */
  readonly tests?: readonly DriftTest[] | undefined;
  /** In the place of some effectFloors. */
  readonly floors?: Readonly<Partial<Record<DriftTest, number>>> | undefined;
}

/** `drift` is sure and large enough; `negligible` is sure and below the floor. */
export const driftVerdicts = ['drift', 'negligible', 'stable', 'undefined'] as const;
export type DriftVerdict = (typeof driftVerdicts)[number];

/** What was found of one of the compared by one test. */
export interface CheckedTest {
  /** Of the compared, from 0. */
  readonly index: number;
  readonly test: DriftTest;
  readonly result: ProfileTest | null;
  /** Why there is no result; null where there is one. */
  readonly reason: string | null;
  /** By Benjamini and Hochberg over all tests of the check. */
  readonly adjustedP: number | null;
  readonly verdict: DriftVerdict;
}

/** A check of many profiles. */
export interface ProfilesCheck {
  readonly tests: readonly CheckedTest[];
  /** In how many checks of a month at least one feature is called drifted at the most, if nothing drifts. */
  readonly falseChecksAMonth: number | null;
}

/** Up to so many values of the smaller side the tests are those for small samples. */
const SMALL = 1_000;

/**
 * The tests of a type and size: of numbers ks below 1,000 values of the smaller side and wasserstein from there on, of
 * categories chi_square and jensen_shannon; the null rate of both, and new categories.
 */
export function defaultTests(grid: Grid, reference: Profile, current: Profile): readonly DriftTest[] {
  const isSmall = Math.min(presentCount(reference), presentCount(current)) < SMALL;
  return grid.kind === 'number'
    ? [isSmall ? 'ks' : 'wasserstein', 'null_rate']
    : [isSmall ? 'chi_square' : 'jensen_shannon', 'null_rate', 'new_category'];
}

/**
 * Tests many profiles at once. A test is called drift where its p, adjusted over all of them, is at most alpha, and its
 * distance is at least its floor. So where nothing drifts, a check names any with a chance of alpha at the most.
 */
export function checkProfiles(
  compared: readonly ComparedProfiles[],
  options: { readonly alpha?: number; readonly seed?: number; readonly checksAMonth?: number } = {},
): ProfilesCheck {
  const alpha = requireOpenProbability('alpha', options.alpha ?? 0.05);
  const tested = compared.flatMap(({ tests, floors, ...pair }, index) =>
    (tests ?? defaultTests(pair.grid, pair.reference, pair.current)).map((test) => ({
      index,
      test,
      outcome: testProfiles({
        ...{ ...pair, test, alpha, seed: options.seed ?? 1 },
        ...(floors?.[test] === undefined ? {} : { floor: floors[test] }),
      }),
    })),
  );
  const found = tested.flatMap(({ outcome }) => (outcome.value === null ? [] : [outcome.value]));
  const adjusted = benjaminiHochberg(found.map(({ p }) => Math.min(1, p)));
  let place = 0;
  const tests = tested.map(({ index, test, outcome }): CheckedTest => {
    if (outcome.value === null) {
      return { index, test, result: null, reason: outcome.reason, adjustedP: null, verdict: 'undefined' };
    }
    const adjustedP = adjusted[place++] ?? 1;
    const isLarge = outcome.value.distance >= outcome.value.floor;
    const verdict = adjustedP > alpha ? 'stable' : isLarge ? 'drift' : 'negligible';
    return { index, test, result: outcome.value, reason: null, adjustedP, verdict };
  });
  const { checksAMonth } = options;
  return {
    tests,
    falseChecksAMonth: checksAMonth === undefined ? null : alpha * requireNonNegative('checksAMonth', checksAMonth),
  };
}
