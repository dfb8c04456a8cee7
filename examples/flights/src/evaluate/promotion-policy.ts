import type { GateClause, GatePolicy } from '@mcp-hub/evaluation';
import { MIN_SLICE_FLIGHTS } from './evaluate-version.ts';

/** What a version has to fulfil on the held-back days of this digest to enter production. */
export const promotionPolicy = (digest: string): GatePolicy => ({
  dataset: { digest },
  clauses: [
    // Better than a coin for sure: by the lower end of the interval.
    { kind: 'metric', metric: 'roc_auc', min: 0.55, byInterval: true },
    // Warnings go out from a probability on, so it has to be about what it says.
    { kind: 'metric', metric: 'calibration_error', max: 0.05 },
    // At no airport worse than a coin.
    { kind: 'slices', feature: 'origin', metric: 'roc_auc', min: 0.5, minRows: MIN_SLICE_FLIGHTS },
    { kind: 'comparison', relation: 'non_inferior', test: 'delong', metric: 'roc_auc', margin: 0.025 },
    { kind: 'approvals', actors: 2, exceptAuthor: true },
  ],
});

/** What a clause asks for, in a word or two. */
export const nameClause = (clause: GateClause): string =>
  clause.kind === 'comparison' ? `${clause.relation.replace('_', '-')} by ${clause.test}` : clause.kind;
