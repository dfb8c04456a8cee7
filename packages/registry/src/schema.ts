import {
  actorColumn,
  createdAtColumn,
  idColumn,
  jsonColumn,
  referenceColumn,
  stateColumn,
  tenantTable,
  timeColumn,
  updatedAtColumn,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { bigint, integer, type PgColumn, text, uuid } from 'drizzle-orm/pg-core';
import { REGISTRY_LIMITS } from './limits.ts';

export const modelStages = ['development', 'staging', 'production', 'archived'] as const;
export type ModelStage = (typeof modelStages)[number];

/** JSON as a document: a signature (JSON Schema), metadata, evidence. */
export type JsonObject = Readonly<Record<string, unknown>>;

// Also holds for rows inserted by hand. Characters, of which there are never more than UTF-16 code units.
const filled = (column: PgColumn): SQL =>
  sql`length(${column}) between 1 and ${sql.raw(String(REGISTRY_LIMITS.nameLength))}`;

/** The order of a model's lifecycle changes; all rows of one change share it. */
const changeNumberColumn = (name = 'change_number') => bigint(name, { mode: 'number' });

/**
 * The names of models, their counters, and the one lock of each model.
 *
 * A model whose versions were all inserted by hand has no row until a function needs its lock; the row is made on
 * demand. Hence no foreign key leads from model_registry to here: a version belongs to its model by name.
 */
export const registeredModels = tenantTable(
  'registered_models',
  {
    /** Stays when the name changes; the history tables go by it. */
    id: idColumn<'Model'>(),
    name: text('name').notNull(),
    description: text('description'),
    /** The highest whole number that was ever a version; it outlives the version, so that none is given twice. */
    lastVersionNumber: integer('last_version_number').notNull().default(0),
    /** The number of the last lifecycle change. Taken under the row's lock: the transactions' clocks give no order. */
    lastChangeNumber: changeNumberColumn('last_change_number').notNull().default(0),
    /** The time of that change; a later change never bears an earlier time. */
    lastChangeAt: timeColumn('last_change_at'),
    metadata: jsonColumn<JsonObject>('metadata').notNull().default({}),
    actor: actorColumn(),
    deletedAt: timeColumn('deleted_at'),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('name', t.name),
    constraint.check('name', filled(t.name)),
    // Search: models by time of creation, newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // Search: models by time of the last update, newest first.
    constraint.index('updated', [t.updatedAt, t.id]),
  ],
);

/** One row a version of a model. Tenant, name and version are enough for an insert by hand. */
export const modelRegistry = tenantTable(
  'model_registry',
  {
    id: idColumn<'ModelVersion'>(),
    name: text('name').notNull(),
    version: text('version').notNull(),
    stage: stateColumn('stage', modelStages).notNull().default('development'),
    /** The change that gave it its stage; 0 where the row was inserted by hand and has not moved. */
    stageChangeNumber: changeNumberColumn('stage_change_number').notNull().default(0),
    description: text('description'),
    artifactUri: text('artifact_uri'),
    /** What the artifact is, such as `sha256:…`; where it lies may change. */
    contentDigest: text('content_digest'),
    artifactBytes: bigint('artifact_bytes', { mode: 'number' }),
    /** What loads the artifact, such as `onnx` or `sklearn`. */
    flavour: text('flavour'),
    /** JSON Schema of what the model takes. */
    inputSignature: jsonColumn<JsonObject>('input_signature'),
    /** JSON Schema of what the model gives. */
    outputSignature: jsonColumn<JsonObject>('output_signature'),
    metadata: jsonColumn<JsonObject>('metadata').notNull().default({}),
    actor: actorColumn(),
    deletedAt: timeColumn('deleted_at'),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.unique('version', t.name, t.version),
    constraint.check('name', filled(t.name)),
    constraint.check('version', filled(t.version)),
    constraint.oneOf('stage', t.stage, modelStages),
    constraint.check('artifact_bytes', sql`${t.artifactBytes} >= 0`),
    // Resolve `churn:production` and archive the others: the live versions of a model in a stage, the last mover first.
    constraint.index('stage', [t.name, t.stage, t.stageChangeNumber, t.id], sql`${t.deletedAt} is null`),
    // The versions of a model in the order of registration; search by name.
    constraint.index('name', [t.name, t.id]),
    // Search of models: the names that only versions inserted by hand may bear. Without it each page reads all versions.
    constraint.index('by_hand', [t.name, t.id], sql`${t.stageChangeNumber} = 0 and ${t.deletedAt} is null`),
    // Search: versions by time of creation, newest first.
    constraint.index('created', [t.createdAt, t.id]),
    // Search: versions by time of the last update, newest first.
    constraint.index('updated', [t.updatedAt, t.id]),
    // Search: which versions hold this artifact.
    constraint.index('digest', [t.contentDigest, t.id], sql`${t.contentDigest} is not null`),
  ],
);

/** Characters of a tag's value in the indexes: with tenant and key at their longest a row of them still fits. */
export const TAG_VALUE_START_LENGTH = 200;

/**
 * Tags of models and of versions. Each row names one of the two by id, so that a rename needs no change here and a
 * hard delete takes the tags along; the key is the id that is there, and never NULL.
 */
export const modelTags = tenantTable(
  'model_tags',
  {
    subjectId: uuid('subject_id').notNull().generatedAlwaysAs(sql`coalesce(model_id, version_id)`),
    modelId: referenceColumn<'Model'>('model_id'),
    versionId: referenceColumn<'ModelVersion'>('version_id'),
    key: text('key').notNull(),
    value: text('value').notNull(),
    /**
     * What an index can hold of the value, whose 8,000 characters are more than a page's third. A column and no expression
     * of the index: under row level security only leakproof functions reach an index, and left() is none.
     */
    valueStart: text('value_start')
      .notNull()
      .generatedAlwaysAs(sql.raw(`left(value, ${TAG_VALUE_START_LENGTH})`)),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.subjectId, t.key),
    constraint.check('subject', sql`num_nonnulls(${t.modelId}, ${t.versionId}) = 1`),
    constraint.check('key', sql`length(${t.key}) between 1 and ${sql.raw(String(REGISTRY_LIMITS.tagKeyLength))}`),
    constraint.foreignKey('model', [t.modelId], [registeredModels.id], { onDelete: 'cascade' }),
    constraint.foreignKey('version', [t.versionId], [modelRegistry.id], { onDelete: 'cascade' }),
    // The cascade from a model, and search: the models that have a tag.
    constraint.index('model', [t.modelId, t.key], sql`${t.modelId} is not null`),
    // The cascade from a version, and search: the versions that have a tag.
    constraint.index('version', [t.versionId, t.key], sql`${t.versionId} is not null`),
    // Search: the models with a tag of this value.
    constraint.index('model_value', [t.key, t.valueStart, t.modelId], sql`${t.modelId} is not null`),
    // Search: the versions with a tag of this value.
    constraint.index('version_value', [t.key, t.valueStart, t.versionId], sql`${t.versionId} is not null`),
  ],
);

/**
 * Names that point to one version each. The foreign key holds the name too, so that an alias cannot point into another
 * model; a rename moves both tables in one statement, at whose end the key is checked.
 */
export const modelAliases = tenantTable(
  'model_aliases',
  {
    name: text('name').notNull(),
    alias: text('alias').notNull(),
    version: text('version').notNull(),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    updatedAt: updatedAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.name, t.alias),
    constraint.check('alias', filled(t.alias)),
    constraint.foreignKey('version', [t.name, t.version], [modelRegistry.name, modelRegistry.version], {
      onDelete: 'cascade',
    }),
    // The aliases of a version, and the cascade from it.
    constraint.index('version', [t.name, t.version]),
  ],
);

/** Each change of an alias. Plain values: the rows outlive what they name. */
export const modelAliasMoves = tenantTable(
  'model_alias_moves',
  {
    modelId: uuid('model_id').notNull(),
    changeNumber: changeNumberColumn().notNull(),
    /** The model's name at that time. */
    name: text('name').notNull(),
    alias: text('alias').notNull(),
    /** Both null: the alias was new. */
    fromVersionId: uuid('from_version_id'),
    fromVersion: text('from_version'),
    /** Both null: the alias was removed. */
    toVersionId: uuid('to_version_id'),
    toVersion: text('to_version'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // History of a model, by pages.
    constraint.primaryKey(t.modelId, t.changeNumber, t.alias),
    constraint.check('ends', sql`num_nonnulls(${t.fromVersion}, ${t.toVersion}) > 0`),
    // Who held this alias at a time, and the history of one alias.
    constraint.index('alias', [t.modelId, t.alias, t.changeNumber]),
  ],
  { appendOnly: true },
);

/** Each change of a version's stage, with its registration and deletion. Plain values: the rows outlive what they name. */
export const modelStageTransitions = tenantTable(
  'model_stage_transitions',
  {
    modelId: uuid('model_id').notNull(),
    changeNumber: changeNumberColumn().notNull(),
    versionId: uuid('version_id').notNull(),
    /** Name and version at that time. */
    name: text('name').notNull(),
    version: text('version').notNull(),
    /** null: the version was registered or restored. */
    fromStage: stateColumn('from_stage', modelStages),
    /** null: the version was deleted. */
    toStage: stateColumn('to_stage', modelStages),
    reason: text('reason'),
    /** The change that this one took back; null where it is no rollback. */
    undoesChangeNumber: changeNumberColumn('undoes_change_number'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // History of a model by pages, and all rows of one change.
    constraint.primaryKey(t.modelId, t.changeNumber, t.versionId),
    constraint.oneOf('from_stage', t.fromStage, modelStages),
    constraint.oneOf('to_stage', t.toStage, modelStages),
    constraint.check('ends', sql`num_nonnulls(${t.fromStage}, ${t.toStage}) > 0`),
    // The stage of a version at a time, and the history of one version.
    constraint.index('version', [t.versionId, t.changeNumber]),
    // The last promotion, and who entered a stage before a time.
    constraint.index('stage', [t.modelId, t.toStage, t.changeNumber]),
    // Whether a change was taken back.
    constraint.index('undo', [t.modelId, t.undoesChangeNumber], sql`${t.undoesChangeNumber} is not null`),
  ],
  { appendOnly: true },
);

/** Each change of a model's name: what leads from an old name to the id that the history goes by. */
export const modelRenames = tenantTable(
  'model_renames',
  {
    modelId: uuid('model_id').notNull(),
    changeNumber: changeNumberColumn().notNull(),
    fromName: text('from_name').notNull(),
    toName: text('to_name').notNull(),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // History of a model's name.
    constraint.primaryKey(t.modelId, t.changeNumber),
    // The last model that bore this name before, for its history.
    constraint.index('from_name', [t.fromName, t.occurredAt, t.changeNumber]),
  ],
  { appendOnly: true },
);

export const modelChangeKinds = [
  'created',
  'deleted',
  'restored',
  'erased',
  'version_redacted',
  'version_erased',
  'guard_set',
  'guard_removed',
] as const;
export type ModelChangeKind = (typeof modelChangeKinds)[number];

/** What befell a model beside the moves of stages and aliases and renames. Plain values: the rows outlive what they name. */
export const modelChanges = tenantTable(
  'model_changes',
  {
    modelId: uuid('model_id').notNull(),
    changeNumber: changeNumberColumn().notNull(),
    kind: stateColumn('kind', modelChangeKinds).notNull(),
    /** The model's name at that time. */
    name: text('name').notNull(),
    /** The version that was redacted or erased. */
    versionId: uuid('version_id'),
    version: text('version'),
    /** The guard that was set or removed. */
    stage: stateColumn('stage', modelStages),
    guard: text('guard'),
    description: text('description'),
    reason: text('reason'),
    actor: actorColumn(),
    occurredAt: createdAtColumn('occurred_at'),
  },
  (t, constraint) => [
    // History of a model, by pages.
    constraint.primaryKey(t.modelId, t.changeNumber),
    constraint.oneOf('kind', t.kind, modelChangeKinds),
    constraint.oneOf('stage', t.stage, modelStages),
    constraint.check(
      'subject',
      sql`(${t.kind} in ('version_redacted', 'version_erased')) = (${t.version} is not null)
          and (${t.kind} in ('guard_set', 'guard_removed')) = (${t.guard} is not null)`,
    ),
  ],
  { appendOnly: true },
);

/** What must be cleared before a version of the model may enter the stage. It protects from mistakes, not from malice. */
export const stageGuards = tenantTable(
  'stage_guards',
  {
    modelId: referenceColumn<'Model'>('model_id').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    /** Who evaluates it, such as `quality-gate`. */
    guard: text('guard').notNull(),
    description: text('description'),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
  },
  (t, constraint) => [
    constraint.primaryKey(t.modelId, t.stage, t.guard),
    constraint.oneOf('stage', t.stage, modelStages),
    constraint.foreignKey('model', [t.modelId], [registeredModels.id], { onDelete: 'cascade' }),
  ],
);

/** Leave for one version to enter one stage once, given by whoever evaluates the guard. */
export const stageClearances = tenantTable(
  'stage_clearances',
  {
    id: idColumn<'StageClearance'>(),
    versionId: referenceColumn<'ModelVersion'>('version_id').notNull(),
    stage: stateColumn('stage', modelStages).notNull(),
    guard: text('guard').notNull(),
    /** What it rests on: numbers, ids of evaluations. */
    evidence: jsonColumn<JsonObject>('evidence').notNull().default({}),
    actor: actorColumn(),
    createdAt: createdAtColumn(),
    expiresAt: timeColumn('expires_at'),
    /** The change that used it up; null while it is unused. */
    usedByChangeNumber: changeNumberColumn('used_by_change_number'),
    /** When it was taken back unused, and by whom; null while it stands. */
    revokedAt: timeColumn('revoked_at'),
    revokedBy: text('revoked_by'),
  },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.oneOf('stage', t.stage, modelStages),
    constraint.check('end', sql`${t.usedByChangeNumber} is null or ${t.revokedAt} is null`),
    constraint.foreignKey('version', [t.versionId], [modelRegistry.id], { onDelete: 'cascade' }),
    // A transition's look for the oldest clearance of each guard that stands, and taking those back.
    constraint.index(
      'standing',
      [t.versionId, t.stage, t.guard, t.id],
      sql`${t.usedByChangeNumber} is null and ${t.revokedAt} is null`,
    ),
    // The cascade from a version.
    constraint.index('version', [t.versionId]),
  ],
);
