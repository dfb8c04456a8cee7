import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { bigint, doublePrecision, text } from 'drizzle-orm/pg-core';

export const comparisonDecisions = ['better', 'worse', 'equivalent', 'undecided'] as const;
export type ComparisonDecision = (typeof comparisonDecisions)[number];

/** Two versions on the same rows, by one test. The comparisons of a family are corrected for their number. */
export const modelComparisons = tenantTable(
  'model_comparisons',
  {
    id: idColumn<'Comparison'>(),
    baselineVersionId: referenceColumn<'ModelVersion'>('baseline_version_id').notNull(),
    candidateVersionId: referenceColumn<'ModelVersion'>('candidate_version_id').notNull(),
    datasetName: text('dataset_name').notNull(),
    datasetDigest: text('dataset_digest').notNull(),
    split: text('split').notNull().default('test'),
    slice: text('slice').notNull().default(''),
    metric: text('metric').notNull(),
    /** `mcnemar_exact`, `mcnemar_mid_p`, `delong`, `paired_bootstrap` … */
    test: text('test').notNull(),
    statistic: doublePrecision('statistic'),
    pValue: doublePrecision('p_value'),
    /** Candidate minus baseline; null where undefined, and then the reason says why. */
    difference: doublePrecision('difference'),
    lower: doublePrecision('lower'),
    upper: doublePrecision('upper'),
    confidence: doublePrecision('confidence').notNull(),
    reason: text('reason'),
    n: bigint('n', { mode: 'number' }).notNull(),
    /** Comparisons that are one question; empty: this one stands alone. */
    family: text('family').notNull().default(''),
    correction: text('correction'),
    /** By the correction, over the members that the family has now. */
    adjustedP: doublePrecision('adjusted_p'),
    /** By adjusted p and the sign of the difference. */
    decision: stateColumn('decision', comparisonDecisions).notNull(),
    /** Level, margin, seed, repeats, generator. */
    parameters: jsonColumn<Readonly<Record<string, unknown>>>('parameters').notNull().default({}),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('decision', t.decision, comparisonDecisions),
    constraint.foreignKey('baseline', [t.baselineVersionId], [modelRegistry.id]),
    constraint.foreignKey('candidate', [t.candidateVersionId], [modelRegistry.id]),
    // The comparisons of a candidate, newest first, and the check when it is erased.
    constraint.index('candidate', [t.candidateVersionId, t.createdAt, t.id]),
    // The check when a baseline is erased.
    constraint.index('baseline', [t.baselineVersionId, t.createdAt, t.id]),
    // The members of a family, in the order in which they came.
    constraint.index('family', [t.family, t.id], sql`${t.family} <> ''`),
  ],
);
