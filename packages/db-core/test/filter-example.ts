import { doublePrecision, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import {
  childRows,
  defineFilterFields,
  enumField,
  mapField,
  numberField,
  textField,
  timeField,
  uuidField,
} from '../src/filter/filter-fields.ts';

/** A small tracking store to filter and order: runs with tags, params and the latest value of each metric. */
export const runs = pgTable(
  'filter_runs',
  {
    tenantId: text('tenant_id').notNull(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    note: text('note'),
    stage: text('stage').notNull(),
    steps: integer('steps').notNull(),
    score: doublePrecision('score'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 6 }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

const pairs = (name: string) =>
  pgTable(name, {
    tenantId: text('tenant_id').notNull(),
    runId: uuid('run_id').notNull(),
    key: text('key').notNull(),
    value: text('value').notNull(),
  });
export const tags = pairs('filter_tags');
export const params = pairs('filter_params');
export const metrics = pgTable('filter_latest_metrics', {
  tenantId: text('tenant_id').notNull(),
  runId: uuid('run_id').notNull(),
  key: text('key').notNull(),
  value: doublePrecision('value').notNull(),
});

const ofRun = (child: typeof tags | typeof metrics) =>
  childRows(child, [
    [child.tenantId, runs.tenantId],
    [child.runId, runs.id],
  ]);

export const runFields = defineFilterFields({
  runId: uuidField(runs.id),
  name: textField(runs.name, { aliases: ['run_name'] }),
  note: textField(runs.note),
  stage: enumField(runs.stage, ['development', 'staging', 'production', 'archived']),
  steps: numberField(runs.steps),
  score: numberField(runs.score),
  createdAt: timeField(runs.createdAt),
  tags: mapField({ key: tags.key, value: textField(tags.value), aliases: ['tag'], ...ofRun(tags) }),
  params: mapField({
    key: params.key,
    value: textField(params.value),
    aliases: ['param'],
    exists: ofRun(params).exists,
  }),
  metrics: mapField({ key: metrics.key, value: numberField(metrics.value), aliases: ['metric'], ...ofRun(metrics) }),
});
