import { defined, type Outcome, undefinedBecause } from '../outcome.ts';
import { binCount, type Grid } from './grid.ts';
import { missingCount, type Profile, presentCount } from './profile.ts';

/** A bin on both sides, and what it adds to the stability index of all. */
export interface ExplainedBin {
  readonly kind: 'under' | 'between' | 'over' | 'category' | 'other' | 'new' | 'missing';
  /** Of a number; null below the first and above the last edge, and of what is no number. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly category: string | null;
  /** Shares of all values, with those that are missing. */
  readonly reference: number;
  readonly current: number;
  /** (c - r) ln(c / r), at least 0; an empty side counts as half a value. */
  readonly contribution: number;
  /** Of the sum of contributions; 0 where that is 0. */
  readonly share: number;
}

/** How each bin, and what is missing, differs on both sides: the sum of contributions is PSI over these. */
export function explainProfiles(grid: Grid, reference: Profile, current: Profile): Outcome<readonly ExplainedBin[]> {
  const all = (profile: Profile) => presentCount(profile) + missingCount(profile);
  const [n, m] = [all(reference), all(current)];
  if (n === 0) return undefinedBecause('The reference has no values.');
  if (m === 0) return undefinedBecause('The current window has no values.');
  const bins = Array.from({ length: binCount(grid) }, (_, i) => ({
    ...nameOf(grid, i),
    counts: [reference.counts[i] ?? 0, current.counts[i] ?? 0] as const,
  }));
  const missing = {
    ...{ kind: 'missing' as const, lower: null, upper: null, category: null },
    counts: [missingCount(reference), missingCount(current)] as const,
  };
  const parts = [...bins, missing].map(({ counts: [r, c], ...bin }) => {
    const contribution =
      r === 0 && c === 0 ? 0 : (c / m - r / n) * Math.log(Math.max(c, 0.5) / m / (Math.max(r, 0.5) / n));
    // Half a value may be more than the other side's share of a much greater sample.
    return { ...bin, reference: r / n, current: c / m, contribution: Math.max(0, contribution) };
  });
  const total = parts.reduce((sum, { contribution }) => sum + contribution, 0);
  return defined(parts.map((part) => ({ ...part, share: total === 0 ? 0 : part.contribution / total })));
}

function nameOf(grid: Grid, bin: number): Pick<ExplainedBin, 'kind' | 'lower' | 'upper' | 'category'> {
  if (grid.kind === 'number') {
    const [lower, upper] = [grid.edges[bin - 1] ?? null, grid.edges[bin] ?? null];
    return { kind: lower === null ? 'under' : upper === null ? 'over' : 'between', lower, upper, category: null };
  }
  const category = grid.categories[bin] ?? null;
  const kind = category !== null ? 'category' : bin === grid.categories.length ? 'other' : 'new';
  return { kind, lower: null, upper: null, category };
}
