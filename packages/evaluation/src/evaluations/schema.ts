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
import { trainingRuns } from '@mcp-hub/training/schema';
import { sql } from 'drizzle-orm';
import { bigint, boolean, doublePrecision, integer, text } from 'drizzle-orm/pg-core';

export const evaluationTasks = ['binary', 'multiclass', 'regression', 'ranking'] as const;
export type EvaluationTask = (typeof evaluationTasks)[number];

/** Why a value is null, or how an interval was made; JSON as a document. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One evaluation of one model version on one dataset. It is written once with all its parts, and never changed. */
export const evaluations = tenantTable(
  'evaluations',
  {
    id: idColumn<'Evaluation'>(),
    versionId: referenceColumn<'ModelVersion'>('version_id').notNull(),
    /** The training run that evaluated, or whose model was evaluated. */
    runId: referenceColumn<'Run'>('run_id'),
    task: stateColumn('task', evaluationTasks).notNull(),
    datasetName: text('dataset_name').notNull(),
    datasetDigest: text('dataset_digest').notNull(),
    /** Such as `test` or `validation`. */
    split: text('split').notNull().default('test'),
    /** Which part of the split was evaluated, in the caller's words; empty: all of it. Slices within are rows of the metrics. */
    slice: text('slice').notNull().default(''),
    /** Rows that were evaluated. */
    n: bigint('n', { mode: 'number' }).notNull(),
    /** Sum of the weights; n where none were given. */
    weight: doublePrecision('weight').notNull(),
    codeVersion: text('code_version'),
    /** What the numbers depend on: threshold, costs, positive class, interval method and level, seed, minimum size of slices. */
    parameters: jsonColumn<JsonObject>('parameters').notNull().default({}),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('task', t.task, evaluationTasks),
    constraint.check('n', sql`${t.n} >= 0`),
    constraint.foreignKey('version', [t.versionId], [modelRegistry.id]),
    constraint.foreignKey('run', [t.runId], [trainingRuns.id]),
    // The evaluations of a version, newest first, and the check when the version is erased.
    constraint.index('version', [t.versionId, t.createdAt, t.id]),
    // The versions that were evaluated on a dataset; gates find the last evaluation by it.
    constraint.index('dataset', [t.datasetDigest, t.versionId, t.createdAt]),
    // The evaluations of a run, and the check when it is purged.
    constraint.index('run', [t.runId, t.id], sql`${t.runId} is not null`),
    // Search: the newest first.
    constraint.index('created', [t.createdAt, t.id]),
  ],
);

/** A metric of the whole evaluation, or of one slice of it. */
export const evaluationMetrics = tenantTable(
  'evaluation_metrics',
  {
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    /** Empty, with an empty value: all rows. */
    sliceFeature: text('slice_feature').notNull().default(''),
    sliceValue: text('slice_value').notNull().default(''),
    metric: text('metric').notNull(),
    /** Of a metric of one class, such as its precision; empty: of all. */
    classLabel: text('class_label').notNull().default(''),
    /** Null where it is undefined, and then the reason says why. */
    value: doublePrecision('value'),
    reason: text('reason'),
    lower: doublePrecision('lower'),
    upper: doublePrecision('upper'),
    /** Of the interval, such as 0.95. */
    confidence: doublePrecision('confidence'),
    /** How the interval was made: `wilson`, `delong`, `bootstrap`, `t`. */
    intervalMethod: text('interval_method'),
    n: bigint('n', { mode: 'number' }).notNull(),
    weight: doublePrecision('weight').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.evaluationId, t.sliceFeature, t.sliceValue, t.metric, t.classLabel),
    constraint.check('reason', sql`(${t.value} is null) = (${t.reason} is not null)`),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id], { onDelete: 'cascade' }),
    // The slices of an evaluation by one metric, worst first.
    constraint.index('metric', [t.evaluationId, t.metric, t.value]),
  ],
);

/** One row a cell: how many rows of the true class were predicted as the other. Cells of 0 are not stored. */
export const confusionMatrices = tenantTable(
  'confusion_matrices',
  {
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    sliceFeature: text('slice_feature').notNull().default(''),
    sliceValue: text('slice_value').notNull().default(''),
    trueLabel: text('true_label').notNull(),
    predictedLabel: text('predicted_label').notNull(),
    n: bigint('n', { mode: 'number' }).notNull(),
    weight: doublePrecision('weight').notNull(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.evaluationId, t.sliceFeature, t.sliceValue, t.trueLabel, t.predictedLabel),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id], { onDelete: 'cascade' }),
  ],
);

/** What a binary classifier does at each threshold: a row is positive where score >= threshold. */
export const thresholdAnalysis = tenantTable(
  'threshold_analysis',
  {
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    /** A score that occurs. */
    threshold: doublePrecision('threshold').notNull(),
    /** Weights; whole numbers where none were given. */
    tp: doublePrecision('tp').notNull(),
    fp: doublePrecision('fp').notNull(),
    tn: doublePrecision('tn').notNull(),
    fn: doublePrecision('fn').notNull(),
    /** Null where nothing is positive, or there is no class to recall. */
    precision: doublePrecision('precision'),
    recall: doublePrecision('recall'),
    specificity: doublePrecision('specificity'),
    f1: doublePrecision('f1'),
    cost: doublePrecision('cost'),
    /** Several where they tie. */
    bestF1: boolean('best_f1').notNull().default(false),
    bestYouden: boolean('best_youden').notNull().default(false),
    bestCost: boolean('best_cost').notNull().default(false),
  },
  (t, constraint) => [
    constraint.primaryKey(t.evaluationId, t.threshold),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id], { onDelete: 'cascade' }),
  ],
);

/** Bins of score beside the share of positives in them. */
export const calibrationBins = tenantTable(
  'calibration_bins',
  {
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    bin: integer('bin').notNull(),
    lower: doublePrecision('lower').notNull(),
    upper: doublePrecision('upper').notNull(),
    n: bigint('n', { mode: 'number' }).notNull(),
    weight: doublePrecision('weight').notNull(),
    /** Null where the bin is empty. */
    meanScore: doublePrecision('mean_score'),
    positiveRate: doublePrecision('positive_rate'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.evaluationId, t.bin),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id], { onDelete: 'cascade' }),
  ],
);

export const featureImportance = tenantTable(
  'feature_importance',
  {
    evaluationId: referenceColumn<'Evaluation'>('evaluation_id').notNull(),
    /** Such as `permutation`, `gain`, `shap`. */
    method: text('method').notNull(),
    feature: text('feature').notNull(),
    value: doublePrecision('value').notNull(),
    /** Over repeats; null where there was one. */
    std: doublePrecision('std'),
    /** 1 is the most important; ties share the lowest. */
    rank: integer('rank').notNull(),
    repeats: integer('repeats').notNull().default(1),
    seed: bigint('seed', { mode: 'number' }),
  },
  (t, constraint) => [
    constraint.primaryKey(t.evaluationId, t.method, t.feature),
    constraint.foreignKey('evaluation', [t.evaluationId], [evaluations.id], { onDelete: 'cascade' }),
  ],
);
