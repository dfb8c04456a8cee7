import { type Costs, type ThresholdCurve, thresholdRow } from '@mcp-hub/stats';
import type { ThresholdPart } from '../evaluations/evaluation-parts.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import type { BinarySummary, Candidate } from './binary-summary.ts';

/** The rows of threshold_analysis from the thresholds that may be kept, as thresholdParts has them from a curve. */
export function summaryThresholds(
  summary: BinarySummary,
  costs: Costs,
  limit: number,
): { readonly thresholds: readonly ThresholdPart[]; readonly parameters: Readonly<Record<string, unknown>> } {
  const { positives, negatives, candidates, tied } = summary;
  const distinctScores =
    summary.parts.reduce((total, { distinct_scores }) => total + distinct_scores, 0) - summary.ties.scores;
  const isKept = (at: number | null) => at !== null && at <= EVALUATION_LIMITS.tiedThresholds;
  const keysOf = (of: 'f1_at' | 'youden_at' | 'cost_at') =>
    new Set(tied.filter((row) => isKept(row[of])).map(({ u }) => u));
  const [bestF1, bestYouden, bestCost] = [keysOf('f1_at'), keysOf('youden_at'), keysOf('cost_at')];
  const kept = new Map<number, Candidate>();
  const thinned = distinctScores <= limit ? candidates : quantiles(candidates, positives + negatives, limit);
  for (const row of [...thinned, ...tied.filter(({ u }) => bestF1.has(u) || bestYouden.has(u) || bestCost.has(u))]) {
    kept.set(row.u, row);
  }
  const rows = [...kept.values()].sort((a, b) => a.u - b.u);
  const curve: ThresholdCurve = {
    // 0 and not -0.
    thresholds: Float64Array.from(rows, ({ u }) => 0 - u),
    tp: Float64Array.from(rows, ({ tp }) => tp),
    fp: Float64Array.from(rows, ({ fp }) => fp),
    ...{ positives, negatives },
  };
  const thresholds = rows.map(({ u }, index): ThresholdPart => {
    const { threshold, tp, fp, tn, fn, precision, recall, specificity, f1, cost } = thresholdRow(curve, index, costs);
    return {
      ...{ threshold, tp, fp, tn, fn, precision, recall, specificity, f1, cost },
      ...{ bestF1: bestF1.has(u), bestYouden: bestYouden.has(u), bestCost: bestCost.has(u) },
    };
  });
  const [first] = tied;
  const tiedForBest = { f1: first?.f1_ties ?? 0, youden: first?.youden_ties ?? 0, cost: first?.cost_ties ?? 0 };
  return { thresholds, parameters: { distinctScores, tiedForBest } };
}

/** The walk of thinCurve in packages/stats; the candidates hold each threshold that it stops at. */
function quantiles(candidates: readonly Candidate[], total: number, limit: number): readonly Candidate[] {
  const share = total / limit;
  const kept: Candidate[] = [];
  let next = share;
  for (const [index, candidate] of candidates.entries()) {
    const reached = candidate.tp + candidate.fp;
    if (reached < next && index < candidates.length - 1) continue;
    kept.push(candidate);
    next = (Math.floor(reached / share) + 1) * share;
  }
  return kept.length > limit ? [...kept.slice(0, limit - 1), ...candidates.slice(-1)] : kept;
}
