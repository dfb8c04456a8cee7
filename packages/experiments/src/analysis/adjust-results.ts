import { benjaminiHochberg, holm } from '@mcp-hub/stats';
import type { ExperimentCorrection } from '../design/schema.ts';
import type { MetricResult } from './analysis.ts';

/**
 * Corrects p of the absolute differences for being many, within families that each are one question:
 *
 * - primary metrics x treatments by Holm, whatever the correction but `none`: any of them may decide;
 * - secondary metrics x treatments by the experiment's correction;
 * - guardrails not at all: each may stop, and a correction would find harm later;
 * - slices as the role of their metric, apart for each dimension; no decision reads them.
 *
 * What is undefined is no member of its family.
 */
export function adjustResults(
  results: readonly MetricResult[],
  correction: ExperimentCorrection,
): readonly MetricResult[] {
  const p = adjusted(results, correction, ({ comparison }) => comparison?.absolute.p ?? null);
  const validP = adjusted(results, correction, ({ comparison }) => comparison?.absolute.validP ?? null);
  return results.map((result, at) => ({
    ...result,
    adjustedP: p[at] ?? null,
    adjustedValidP: validP[at] ?? null,
  }));
}

function adjusted(
  results: readonly MetricResult[],
  correction: ExperimentCorrection,
  pOf: (result: MetricResult) => number | null,
): readonly (number | null)[] {
  const families = new Map<string, { at: number; p: number; role: MetricResult['role'] }[]>();
  results.forEach((result, at) => {
    const p = pOf(result);
    if (p === null) return;
    const name = JSON.stringify([result.role, result.slice?.dimension ?? null]);
    families.set(name, [...(families.get(name) ?? []), { at, p, role: result.role }]);
  });
  const found: (number | null)[] = results.map(() => null);
  for (const members of families.values()) {
    const values = correctionOf(members[0]?.role, correction)(members.map(({ p }) => p));
    members.forEach(({ at }, i) => {
      found[at] = values[i] ?? null;
    });
  }
  return found;
}

function correctionOf(role: MetricResult['role'] | undefined, correction: ExperimentCorrection) {
  if (correction === 'none' || role === 'guardrail') return (p: readonly number[]) => p;
  return role === 'secondary' && correction === 'benjamini_hochberg' ? benjaminiHochberg : holm;
}
