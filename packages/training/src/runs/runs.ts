import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, isNull, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { runNotFound } from '../not-found.ts';
import { trainingMetricKeys, trainingParams, trainingRuns, trainingTags } from '../schema.ts';
import { type MetricSummary, type MetricSummaryText, readMetricSummary } from './metric-summary.ts';

const { lastMetricKeyId: _, lastChangeNumber: __, ...columns } = getTableColumns(trainingRuns);

/** The columns of training_runs that functions give. */
export const runColumns = columns;

/** A row of training_runs, without its counters. */
export type RunRow = Readonly<Omit<typeof trainingRuns.$inferSelect, 'lastMetricKeyId' | 'lastChangeNumber'>>;

/** A run with its params and tags, and what is known of its metrics without reading their points. */
export interface Run extends RunRow {
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, MetricSummary>>;
}

export const GetRunInput = z.strictObject({
  runId,
  /** Whether a deleted run is found too. Default false. */
  includeDeleted: z.boolean().optional(),
});
export type GetRunInput = Readonly<z.input<typeof GetRunInput>>;

/** As findRun. @throws DomainError `not_found` where it gives undefined. */
export async function getRun(tx: TenantTx, input: GetRunInput): Promise<Run> {
  const run = await findRun(tx, input);
  if (run === undefined) throw runNotFound();
  return run;
}

/** The run, or undefined where it is not there or deleted. One statement, no lock. */
export async function findRun(tx: TenantTx, input: GetRunInput): Promise<Run | undefined> {
  const given = parseInput(GetRunInput, input);
  const [run] = await tx
    .select({ ...runColumns, ...runParts() })
    .from(trainingRuns)
    .where(
      and(
        eq(trainingRuns.tenantId, tenantOf(tx)),
        eq(trainingRuns.id, given.runId as Id<'Run'>),
        given.includeDeleted === true ? undefined : isNull(trainingRuns.deletedAt),
      ),
    );
  return run;
}

/** The parts of a run that are kept by key. */
export const keyedParts = ['params', 'tags', 'metrics'] as const;
export type KeyedPart = (typeof keyedParts)[number];

/**
 * What a Run has beside the columns of its row; `narrow` adds a condition on the keys of a part. In raw SQL the outer table
 * is spelled out: Drizzle drops it from columns.
 */
export const runParts = (narrow: (part: KeyedPart, key: SQL) => SQL = () => sql.empty()) => ({
  params: sql<Run['params']>`coalesce((
    select json_object_agg(p.key, p.value order by p.key) from ${trainingParams} p
     where p.tenant_id = training_runs.tenant_id and p.run_id = training_runs.id${narrow('params', sql`p.key`)}), '{}')`,
  tags: sql<Run['tags']>`coalesce((
    select json_object_agg(t.key, t.value order by t.key) from ${trainingTags} t
     where t.tenant_id = training_runs.tenant_id and t.run_id = training_runs.id${narrow('tags', sql`t.key`)}), '{}')`,
  metrics: sql`coalesce((
    select json_object_agg(k.key, json_build_array(
             k.point_count, k.goal, ${point('latest')}, ${point('min')}, ${point('max')}) order by k.key)
      from ${trainingMetricKeys} k
     where k.tenant_id = training_runs.tenant_id and k.run_id = training_runs.id${narrow('metrics', sql`k.key`)}), '{}')`.mapWith(
    readMetrics,
  ),
});

const point = (which: 'latest' | 'min' | 'max') => {
  const column = (part: string) => sql.raw(`k.${which}_${part}`);
  return sql`array[${column('step')}::text, (extract(epoch from ${column('at')}) * 1000)::float8::text, ${column('value')}::text]`;
};

function readMetrics(byKey: Readonly<Record<string, MetricSummaryText>>): Run['metrics'] {
  return Object.fromEntries(
    Object.entries(byKey).flatMap(([key, text]) => {
      const summary = readMetricSummary(text);
      return summary === undefined ? [] : [[key, summary] as const];
    }),
  );
}
