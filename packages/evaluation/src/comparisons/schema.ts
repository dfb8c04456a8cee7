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
import { bigint, boolean, doublePrecision, text } from 'drizzle-orm/pg-core';

export const comparisonDecisions = ['better', 'worse', 'equivalent', 'undecided'] as const;
export type ComparisonDecision = (typeof comparisonDecisions)[number];

export const comparisonTests = [
  'mcnemar_exact',
  'mcnemar_mid_p',
  'mcnemar_chi_square',
  'delong',
  'paired_t',
  'paired_bootstrap',
] as const;
export type ComparisonTest = (typeof comparisonTests)[number];

export const familyCorrections = ['holm', 'benjamini_hochberg', 'bonferroni'] as const;
export type FamilyCorrection = (typeof familyCorrections)[number];

/** Comparisons that are one question, corrected for their number. Its row is the lock under which members are added. */
export const comparisonFamilies = tenantTable(
  'comparison_families',
  {
    name: text('name').notNull(),
    correction: stateColumn('correction', familyCorrections).notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [constraint.primaryKey(t.name), constraint.oneOf('correction', t.correction, familyCorrections)],
);

/** Two versions on the same rows, by one test. */
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
    /** Whether more of the metric is better. */
    higherIsBetter: boolean('higher_is_better').notNull(),
    test: stateColumn('test', comparisonTests).notNull(),
    statistic: doublePrecision('statistic'),
    pValue: doublePrecision('p_value'),
    /** Candidate minus baseline; null where undefined, and then the reason says why. */
    difference: doublePrecision('difference'),
    lower: doublePrecision('lower'),
    upper: doublePrecision('upper'),
    confidence: doublePrecision('confidence').notNull(),
    reason: text('reason'),
    n: bigint('n', { mode: 'number' }).notNull(),
    /** Null: this one stands alone. */
    family: text('family'),
    /** By the family's correction, over the members that it has now; p itself where it stands alone. */
    adjustedP: doublePrecision('adjusted_p'),
    /** The error rate that adjusted p is held to, 1 - confidence. */
    alpha: doublePrecision('alpha').notNull(),
    /** Differences up to this one are as good as none. */
    margin: doublePrecision('margin').notNull(),
    /** By adjusted p, the sign of the difference and the margin. */
    decision: stateColumn('decision', comparisonDecisions).notNull(),
    /** Threshold, seed, draws, generator. */
    parameters: jsonColumn<Readonly<Record<string, unknown>>>('parameters').notNull().default({}),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('decision', t.decision, comparisonDecisions),
    constraint.oneOf('test', t.test, comparisonTests),
    constraint.foreignKey('family', [t.family], [comparisonFamilies.name]),
    constraint.foreignKey('baseline', [t.baselineVersionId], [modelRegistry.id]),
    constraint.foreignKey('candidate', [t.candidateVersionId], [modelRegistry.id]),
    // The comparisons of a candidate, newest first, and the check when it is erased.
    constraint.index('candidate', [t.candidateVersionId, t.createdAt, t.id]),
    // The check when a baseline is erased.
    constraint.index('baseline', [t.baselineVersionId, t.createdAt, t.id]),
    // The last comparison of two versions on a dataset: what gates read.
    constraint.index('pair', [t.candidateVersionId, t.baselineVersionId, t.test, t.metric, t.createdAt, t.id]),
    // The members of a family, in the order in which they came.
    constraint.index('family', [t.family, t.id], sql`${t.family} is not null`),
  ],
);
