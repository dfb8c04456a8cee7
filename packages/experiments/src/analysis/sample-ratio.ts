import { chiSquare, sampleRatioMismatch, sequentialSampleRatio } from '@mcp-hub/stats';
import type { AnalysisDefinition } from './analysis-definition.ts';
import type { AnalysisInput, DailyUnits } from './analysis-input.ts';
import { type WeightGroup, weightGroups } from './weight-groups.ts';

/** A test of the sample ratio: whether units came to the variants as the weights say. */
export interface SampleRatio {
  /** Null below the units that a chi-square test needs. */
  readonly p: number | null;
  /** All units that were counted. */
  readonly units: number;
  /** By the variants' order. */
  readonly counts: readonly number[];
  /** Units of a variant whose weight was 0 at the time. */
  readonly unexpected: number;
}

type CountOf = (row: DailyUnits) => number;

/** Units a variant, on average, below which no ratio is tested. */
export const RATIO_UNITS = 8;

/**
 * The test of one look: Pearson's chi-square within each weight group, its statistics and degrees of freedom added up, so
 * that each epoch is held against its own weights.
 */
export function sampleRatio(definition: AnalysisDefinition, input: AnalysisInput, countOf: CountOf): SampleRatio {
  const groups = countedGroups(definition, input.daily, countOf);
  const tests = groups.flatMap(({ shares, counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const open = shares.filter((share) => share > 0).length;
    if (open < 2 || total < RATIO_UNITS * open) return [];
    const { value } = sampleRatioMismatch({ counts, weights: shares });
    return value === null ? [] : [value];
  });
  const [only] = tests;
  const degreesOfFreedom = tests.reduce((sum, test) => sum + test.degreesOfFreedom, 0);
  const statistic = tests.reduce((sum, test) => sum + test.statistic, 0);
  const p = tests.length === 1 ? only?.p : tests.length === 0 ? null : chiSquare(degreesOfFreedom).sf(statistic);
  return { p: p ?? null, ...totalsOf(definition, groups) };
}

/**
 * The test for many looks, over the days of first exposure: within each weight group the running p of Lindon and Malek's
 * test, of which Bonferroni's least is valid at every look, too.
 */
export function sampleRatioOverTime(
  definition: AnalysisDefinition,
  input: AnalysisInput,
  countOf: CountOf,
): SampleRatio {
  const groups = countedGroups(definition, input.daily, countOf);
  const tests = groups.flatMap(({ shares, days }) => {
    if (shares.filter((share) => share > 0).length < 2) return [];
    const p = sequentialSampleRatio({ periods: days, weights: shares }).at(-1);
    return p === undefined ? [] : [p];
  });
  const least = tests.length === 0 ? null : Math.min(1, tests.length * Math.min(...tests));
  return { p: least, ...totalsOf(definition, groups) };
}

interface CountedGroup {
  readonly shares: readonly number[];
  /** In the order of the variants. */
  readonly counts: readonly number[];
  /** The same by day, in their order. */
  readonly days: readonly (readonly number[])[];
}

function countedGroups(
  definition: AnalysisDefinition,
  daily: readonly DailyUnits[],
  countOf: CountOf,
): readonly CountedGroup[] {
  return weightGroups(definition).flatMap((group) => {
    const days = daysOf(definition, group, daily, countOf);
    if (days.length === 0) return [];
    const counts = definition.variants.map((_, at) => days.reduce((sum, day) => sum + (day[at] ?? 0), 0));
    return [{ shares: group.shares, counts, days }];
  });
}

function daysOf(
  { variants }: AnalysisDefinition,
  { epochs }: WeightGroup,
  daily: readonly DailyUnits[],
  countOf: CountOf,
): readonly (readonly number[])[] {
  const places = new Map(variants.map(({ id }, at) => [id, at]));
  const days = new Map<string, number[]>();
  for (const row of daily) {
    const at = places.get(row.variantId);
    if (at === undefined || !epochs.includes(row.epoch)) continue;
    const counts = days.get(row.day) ?? variants.map(() => 0);
    counts[at] = (counts[at] ?? 0) + countOf(row);
    days.set(row.day, counts);
  }
  return [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counts]) => counts);
}

function totalsOf({ variants }: AnalysisDefinition, groups: readonly CountedGroup[]) {
  const counts = variants.map((_, at) => groups.reduce((sum, group) => sum + (group.counts[at] ?? 0), 0));
  const unexpected = groups.reduce(
    (sum, group) => sum + group.counts.reduce((of, count, at) => of + (group.shares[at] === 0 ? count : 0), 0),
    0,
  );
  return { units: counts.reduce((sum, count) => sum + count, 0), counts, unexpected };
}
