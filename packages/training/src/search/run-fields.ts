import {
  childRows,
  defineFilterFields,
  enumField,
  mapField,
  numberField,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { type SQLWrapper, sql } from 'drizzle-orm';
import {
  type RunModelRole,
  runStatuses,
  trainingMetricKeys,
  trainingParams,
  trainingRunModels,
  trainingRuns,
  trainingTags,
  VALUE_START_LENGTH,
} from '../schema.ts';

const pairs = (table: typeof trainingParams | typeof trainingTags, alias: string) =>
  mapField({
    key: table.key,
    value: textField(table.value, { start: { column: table.valueStart, length: VALUE_START_LENGTH } }),
    aliases: [alias],
    ...childRows(table, [
      [table.tenantId, trainingRuns.tenantId],
      [table.runId, trainingRuns.id],
    ]),
  });

const metricValues = (value: SQLWrapper, aliases: readonly string[]) =>
  mapField({
    key: trainingMetricKeys.key,
    value: numberField(value),
    aliases,
    ...childRows(trainingMetricKeys, [
      [trainingMetricKeys.tenantId, trainingRuns.tenantId],
      [trainingMetricKeys.runId, trainingRuns.id],
    ]),
  });

/** Model names and the versions of them that a run is linked to, without those that are deleted. */
const linkedVersions = (aliases: readonly string[], role?: RunModelRole) =>
  mapField({
    key: modelRegistry.name,
    value: textField(modelRegistry.version),
    aliases,
    exists: (match) => sql`exists (
      select 1 from ${trainingRunModels}
        join ${modelRegistry} on ${modelRegistry.tenantId} = ${trainingRunModels.tenantId}
                             and ${modelRegistry.id} = ${trainingRunModels.versionId}
       where ${trainingRunModels.tenantId} = ${trainingRuns.tenantId} and ${trainingRunModels.runId} = ${trainingRuns.id}
         and ${role === undefined ? sql`true` : sql`${trainingRunModels.role} = ${role}`}
         and ${modelRegistry.deletedAt} is null and ${match})`,
  });

/**
 * What runs can be searched and ordered by. An index serves the orders by created_at and, of any one key, by metrics, best,
 * min and max.
 */
export const runFields = defineFilterFields({
  id: uuidField(trainingRuns.id, { aliases: ['run_id'], asWritten: true }),
  name: textField(trainingRuns.name, { aliases: ['run_name'] }),
  group: textField(trainingRuns.group),
  status: enumField(trainingRuns.status, runStatuses),
  description: textField(trainingRuns.description),
  codeVersion: textField(trainingRuns.codeVersion),
  datasetName: textField(trainingRuns.datasetName),
  datasetDigest: textField(trainingRuns.datasetDigest),
  seed: numberField(trainingRuns.seed),
  parentRunId: uuidField(trainingRuns.parentRunId),
  attempt: numberField(trainingRuns.attempt),
  startedAt: timeField(trainingRuns.startedAt, { aliases: ['start_time'] }),
  endedAt: timeField(trainingRuns.endedAt, { aliases: ['end_time'] }),
  error: textField(trainingRuns.error),
  actor: textField(trainingRuns.actor),
  createdAt: timeField(trainingRuns.createdAt),
  updatedAt: timeField(trainingRuns.updatedAt),
  deletedAt: timeField(trainingRuns.deletedAt),
  params: pairs(trainingParams, 'param'),
  tags: pairs(trainingTags, 'tag'),
  metrics: metricValues(trainingMetricKeys.latestValue, ['metric', 'latest']),
  best: metricValues(trainingMetricKeys.bestValue, []),
  min: metricValues(trainingMetricKeys.minValue, []),
  max: metricValues(trainingMetricKeys.maxValue, []),
  models: linkedVersions(['model']),
  outputs: linkedVersions(['output'], 'output'),
  inputs: linkedVersions(['input'], 'input'),
});
