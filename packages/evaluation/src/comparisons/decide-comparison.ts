import { benjaminiHochberg, bonferroni, holm } from '@mcp-hub/stats';
import type { ComparisonDecision, FamilyCorrection } from './schema.ts';

/** What a decision is made of. */
export interface ComparisonNumbers {
  /** Candidate less baseline. */
  readonly difference: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly adjustedP: number | null;
  readonly alpha: number;
  readonly margin: number;
  readonly higherIsBetter: boolean;
}

/**
 * What a comparison says of the candidate: equivalent where the whole interval lies within the margin, significant or not;
 * else better or worse, by the sign, where adjusted p is at most alpha; else undecided. Pure.
 */
export function decideComparison(numbers: ComparisonNumbers): ComparisonDecision {
  const { difference, lower, upper, adjustedP, alpha, margin, higherIsBetter } = numbers;
  const isWithin = lower !== null && upper !== null && lower >= -margin && upper <= margin;
  if (margin > 0 && isWithin) return 'equivalent';
  if (difference === null || difference === 0 || adjustedP === null || adjustedP > alpha) return 'undecided';
  return difference > 0 === higherIsBetter ? 'better' : 'worse';
}

/** p values by a family's correction, in their order; those that are undefined do not count. */
export function adjustFamily(correction: FamilyCorrection, p: readonly (number | null)[]): readonly (number | null)[] {
  const known = p.flatMap((value) => (value === null ? [] : [value]));
  const adjust = { holm, bonferroni, benjamini_hochberg: benjaminiHochberg }[correction];
  const adjusted = adjust(known);
  let at = 0;
  return p.map((value) => (value === null ? null : (adjusted[at++] ?? null)));
}
