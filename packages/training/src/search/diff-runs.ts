import { type Id, parseInput, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { runNotFound } from '../not-found.ts';
import { trainingMetricKeys, trainingParams, trainingRuns, trainingTags } from '../schema.ts';

export const DiffRunsInput = z.strictObject({
  /** At least two, each once. */
  runIds: z
    .array(runId)
    .min(2)
    .max(TRAINING_LIMITS.runsCompared)
    .refine((ids) => new Set(ids.map((id) => id.toLowerCase())).size === ids.length, 'must name each run once'),
  /** Whether deleted runs are compared too. Default false. */
  includeDeleted: z.boolean().optional(),
});
export type DiffRunsInput = Readonly<z.input<typeof DiffRunsInput>>;

/** A value of each run, in the order of `runIds`; undefined where the run has none. */
export type ByRun<Value> = readonly (Value | undefined)[];

/** What is not equal in all of some runs, by key in alphabetical order; a key that some of them lack is in it. */
export interface RunDiff {
  readonly runIds: readonly Id<'Run'>[];
  readonly attributes: {
    readonly codeVersion?: ByRun<string>;
    readonly datasetName?: ByRun<string>;
    readonly datasetDigest?: ByRun<string>;
    readonly seed?: ByRun<number>;
  };
  /** By the keys at the top of the documents; documents are equal as JSON is, whatever the order of their keys. */
  readonly environment: Readonly<Record<string, ByRun<unknown>>>;
  readonly params: Readonly<Record<string, ByRun<string>>>;
  readonly tags: Readonly<Record<string, ByRun<string>>>;
  /** The latest values. NaN equals NaN, and 0 equals -0. */
  readonly metrics: Readonly<Record<string, ByRun<number>>>;
}

type Part = Exclude<keyof RunDiff, 'runIds'>;

/**
 * What differs between 2 to 100 runs. One statement, no lock.
 *
 * @throws DomainError `not_found` where one of them is not there or, without `includeDeleted`, deleted.
 */
export async function diffRuns(tx: TenantTx, input: DiffRunsInput): Promise<RunDiff> {
  const { runIds: given, includeDeleted = false } = parseInput(DiffRunsInput, input);
  const runIds = given.map((id) => id.toLowerCase() as Id<'Run'>);
  const tenant = tenantOf(tx);
  const [found] = await tx.execute<{
    count: number;
    differing: readonly (readonly [Part, string, Readonly<Record<number, unknown>>])[];
  }>(sql`
    with wanted as materialized (
      select r.*, w.place
        from unnest(${uuidArray(runIds)}) with ordinality as w (id, place)
        join ${trainingRuns} r on r.tenant_id = ${tenant} and r.id = w.id
       where ${includeDeleted} or r.deleted_at is null
    ), fact (part, key, place, value) as (
      select 'attributes', a.key, place, a.value
        from wanted, lateral (values ('codeVersion', to_jsonb(code_version)), ('datasetName', to_jsonb(dataset_name)),
                                     ('datasetDigest', to_jsonb(dataset_digest)), ('seed', to_jsonb(seed))) as a (key, value)
       where a.value is not null
       union all
      select 'environment', e.key, place, e.value from wanted, lateral jsonb_each(environment) as e
       union all
      select 'params', p.key, place, to_jsonb(p.value)
        from wanted join ${trainingParams} p on p.tenant_id = ${tenant} and p.run_id = wanted.id
       union all
      select 'tags', t.key, place, to_jsonb(t.value)
        from wanted join ${trainingTags} t on t.tenant_id = ${tenant} and t.run_id = wanted.id
       union all
      -- As text, for JSON has neither NaN nor infinities; -0 becomes 0.
      select 'metrics', k.key, place, to_jsonb((k.latest_value + 0)::text)
        from wanted join ${trainingMetricKeys} k on k.tenant_id = ${tenant} and k.run_id = wanted.id
       where k.latest_value is not null
    ), difference as (
      select part, key, json_object_agg(place, value) as by_place
        from fact
       group by part, key
      having count(*) < ${runIds.length}::int or count(distinct value) > 1
    )
    select (select count(*)::int from wanted) as count,
           coalesce((select json_agg(json_build_array(part, key, by_place) order by key) from difference), '[]') as differing`);
  if (found?.count !== runIds.length) throw runNotFound();
  const read = <Value>(part: Part, toValue: (value: unknown) => Value): Record<string, ByRun<Value>> =>
    Object.fromEntries(
      found.differing
        .filter(([of]) => of === part)
        .map(([, key, byPlace]) => [
          key,
          runIds.map((_, index) => (index + 1 in byPlace ? toValue(byPlace[index + 1]) : undefined)),
        ]),
    );
  return {
    runIds,
    attributes: read('attributes', (value) => value) as RunDiff['attributes'],
    environment: read('environment', (value) => value),
    params: read('params', String),
    tags: read('tags', String),
    metrics: read('metrics', Number),
  };
}
