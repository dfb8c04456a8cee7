import { actorColumn, createdAtColumn, idColumn, referenceColumn, stateColumn, tenantTable } from '@mcp-hub/db-core';
import { evaluations } from '@mcp-hub/evaluation/schema';
import { sql } from 'drizzle-orm';
import { bigint, date, doublePrecision, text } from 'drizzle-orm/pg-core';

/** What a value is of: labels that turned out, or the model's own probabilities while they are not there. */
export const performanceBases = ['realised', 'estimated'] as const;
export type PerformanceBasis = (typeof performanceBases)[number];

/** `degraded` is sure and large enough; `negligible` is sure and below the floor; `immature` waits for labels. */
export const performanceVerdicts = ['degraded', 'negligible', 'stable', 'improved', 'immature', 'undefined'] as const;
export type PerformanceVerdict = (typeof performanceVerdicts)[number];

/** A version's metric over the predictions of a window beside an evaluation of it. Each look is a row. */
export const performanceDrift = tenantTable(
  'performance_drift',
  {
    id: idColumn<'PerformanceDrift'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** The evaluation that it is compared with. */
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    /** The predictions of these days, both included, in the time zone: the cohort. */
    fromDay: date('from_day', { mode: 'string' }).notNull(),
    toDay: date('to_day', { mode: 'string' }).notNull(),
    timeZone: text('time_zone').notNull(),
    metric: text('metric').notNull(),
    basis: stateColumn('basis', performanceBases).notNull(),
    /** Labels count that were observed at most so long after their prediction; null for estimates, which need none. */
    ageMs: bigint('age_ms', { mode: 'number' }),
    predictionCount: bigint('prediction_count', { mode: 'number' }).notNull(),
    /** Predictions whose truth was known at that age. */
    labelledCount: bigint('labelled_count', { mode: 'number' }).notNull(),
    /** Null where it is undefined, and then a reason. */
    value: doublePrecision('value'),
    lower: doublePrecision('lower'),
    upper: doublePrecision('upper'),
    baselineValue: doublePrecision('baseline_value'),
    /** One-sided: the chance of a value as bad as this, if it is what the evaluation says. Adjusted over the metrics of the look. */
    p: doublePrecision('p'),
    adjustedP: doublePrecision('adjusted_p'),
    /** From which loss on it matters. */
    floor: doublePrecision('floor').notNull(),
    verdict: stateColumn('verdict', performanceVerdicts).notNull(),
    reason: text('reason'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id]),
    // A metric over time; the estimates of a window beside what turned out.
    constraint.index('version', [t.modelVersionId, t.metric, t.toDay, t.id]),
    // The check when an evaluation is erased.
    constraint.index('evaluation', [t.evaluationId]),
    constraint.oneOf('basis', t.basis, performanceBases),
    constraint.oneOf('verdict', t.verdict, performanceVerdicts),
    constraint.check('days', sql`${t.fromDay} <= ${t.toDay}`),
    constraint.check('age', sql`(${t.basis} = 'realised') = (${t.ageMs} is not null)`),
    constraint.check('reason', sql`(${t.value} is null) = (${t.reason} is not null) or ${t.verdict} = 'immature'`),
  ],
);
