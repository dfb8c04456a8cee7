import {
  actorColumn,
  carriesTime,
  createdAtColumn,
  idColumn,
  idTimeColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { modelRegistry, registeredModels } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import { boolean, date, doublePrecision, integer, type PgColumn, text, uuid } from 'drizzle-orm/pg-core';
import { PREDICTION_LIMITS } from '../limits.ts';

/** How a prediction came about: for a request, in a batch job, or computed anew for the past. */
export const predictionSources = ['online', 'batch', 'replay'] as const;
export type PredictionSource = (typeof predictionSources)[number];

// Also hold for rows inserted by hand. Characters, of which there are never more than UTF-16 code units.
const filled = (column: PgColumn, length: number): SQL =>
  sql`length(${column}) between 1 and ${sql.raw(String(length))}`;

/** The models whose predictions are kept: what keeps a model from being erased while its labels are there. */
export const predictionModels = tenantTable(
  'prediction_models',
  {
    modelId: referenceColumn<'Model'>('model_id').notNull(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.modelId),
    constraint.foreignKey('model', [t.modelId], [registeredModels.id]),
  ],
);

/**
 * One row a model version that has predictions. The list of its features says what stands where in `numbers` and
 * `categories`; names are only ever added at the end, so that a place means the same in all rows of the version.
 */
export const predictionLedgers = tenantTable(
  'prediction_ledgers',
  {
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    modelId: referenceColumn<'Model'>('model_id').notNull(),
    numberFeatures: text('number_features').array().notNull().default(sql`'{}'`),
    categoryFeatures: text('category_features').array().notNull().default(sql`'{}'`),
    /** Whether whoever records marks the days that it recorded in. */
    marksDays: boolean('marks_days').notNull().default(false),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.modelVersionId),
    constraint.foreignKey('version', [t.modelVersionId], [modelRegistry.id]),
    constraint.foreignKey('model', [t.modelId], [predictionModels.modelId]),
    constraint.check(
      'features',
      sql`cardinality(${t.numberFeatures}) <= ${sql.raw(String(PREDICTION_LIMITS.features))} and
          cardinality(${t.categoryFeatures}) <= ${sql.raw(String(PREDICTION_LIMITS.features))}`,
    ),
    // The versions of a model; the check when the model is erased.
    constraint.index('model', [t.modelId, t.modelVersionId]),
  ],
);

/**
 * What was predicted, by which version, of what. Partitioned by the id, which carries the time of the prediction: a window
 * of time is a range of ids, and the same id sent twice is one row.
 *
 * No foreign key leads to the ledger, whose row recordPredictions holds FOR KEY SHARE instead, as the key's check would.
 */
export const predictions = tenantTable(
  'predictions',
  {
    id: idColumn<'Prediction'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** The unit that labels and experiments join on; the id's own text where none was given. */
    subject: text('subject').notNull(),
    /** The predicted class. */
    label: text('label'),
    /** The score of the positive class, or the predicted number. */
    score: doublePrecision('score'),
    /** All else that the model gave, such as the probabilities of all classes. */
    output: jsonColumn<unknown>('output'),
    /** By the places of prediction_ledgers.number_features; shorter where the features came later. NaN is itself. */
    numbers: doublePrecision('numbers').array().notNull().default(sql`'{}'`),
    categories: text('categories').array().notNull().default(sql`'{}'`),
    latencyMs: doublePrecision('latency_ms'),
    source: stateColumn('source', predictionSources).notNull().default('online'),
    /** Plain values: what they name may go before the prediction does. */
    batchJobId: uuid('batch_job_id'),
    runId: uuid('run_id'),
    experiment: text('experiment'),
    variant: text('variant'),
    /** The time that the id carries. */
    predictedAt: idTimeColumn('predicted_at'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.check('predicted_at', carriesTime(t.id, t.predictedAt)),
    constraint.check('subject', filled(t.subject, PREDICTION_LIMITS.subjectLength)),
    constraint.oneOf('source', t.source, predictionSources),
    // The predictions of a version, in the order of time; monitoring reads its days by it.
    constraint.index('version', [t.modelVersionId, t.id]),
    // The predictions of a subject; which ones a label that comes late belongs to.
    constraint.index('subject', [t.subject, t.id]),
  ],
  { partitionBy: 'id' },
);

/**
 * The days in which predictions were recorded since someone looked, of versions whose ledger marks them: a row for each
 * statement that recorded and day of it. Never changed, so that nobody who records waits here for another; who reads a day
 * anew deletes the marks that it saw, before.
 */
export const predictionDayMarks = tenantTable(
  'prediction_day_marks',
  {
    id: idColumn<'PredictionDayMark'>(),
    modelVersionId: referenceColumn<'ModelVersion'>('model_version_id').notNull(),
    /** UTC. */
    day: date('day', { mode: 'string' }).notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.check('day', sql`${t.day} >= '2000-01-01' and ${t.day} < '2100-01-01'`),
    // The marks of a version's days, all at once.
    constraint.index('day', [t.modelVersionId, t.day]),
  ],
);

/** What turned out to be true of a subject, as it is known now. It holds for all versions of the model. */
export const predictionLabels = tenantTable(
  'prediction_labels',
  {
    modelId: referenceColumn<'Model'>('model_id').notNull(),
    subject: text('subject').notNull(),
    /** The true class, or null where the truth is a number. */
    label: text('label'),
    value: doublePrecision('value'),
    /** When the truth was observed. Of two the later holds, in whichever order they came. */
    observedAt: timeColumn('observed_at').notNull(),
    /** 1, and one more with each correction. */
    revision: integer('revision').notNull().default(1),
    actor: actorColumn(),
    recordedAt: createdAtColumn('recorded_at'),
  },
  (t, constraint) => [
    // The join of predictions with their truth.
    constraint.primaryKey(t.modelId, t.subject),
    constraint.check('subject', filled(t.subject, PREDICTION_LIMITS.subjectLength)),
    constraint.check('truth', sql`(${t.label} is null) <> (${t.value} is null)`),
    constraint.check('observed_at', sql`${t.observedAt} >= '2000-01-01Z' and ${t.observedAt} < '2100-01-01Z'`),
    // What was labelled in a window of time; the prune.
    constraint.index('observed', [t.modelId, t.observedAt, t.subject]),
  ],
);

/** What labels were before they were corrected, and truths that came when a later one was known. */
export const predictionLabelHistory = tenantTable(
  'prediction_label_history',
  {
    modelId: referenceColumn<'Model'>('model_id').notNull(),
    subject: text('subject').notNull(),
    observedAt: timeColumn('observed_at').notNull(),
    label: text('label'),
    value: doublePrecision('value'),
    actor: text('actor'),
    /** When it was recorded. */
    recordedAt: timeColumn('recorded_at').notNull(),
    /** When another took its place. */
    replacedAt: createdAtColumn('replaced_at'),
  },
  (t, constraint) => [
    // The history of one subject.
    constraint.primaryKey(t.modelId, t.subject, t.observedAt),
    constraint.check('truth', sql`(${t.label} is null) <> (${t.value} is null)`),
  ],
);
