import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import type { ModelStage } from '@mcp-hub/registry';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { type SQL, sql } from 'drizzle-orm';
import { type ComparisonTest, modelComparisons } from '../comparisons/schema.ts';
import { evaluationMetrics, evaluations } from '../evaluations/schema.ts';
import { actorIdentity } from './actor-identity.ts';
import type { GatePolicy } from './gate-policy.ts';
import { gateApprovals } from './schema.ts';

/** A metric that a clause reads. */
export interface MetricInput {
  readonly sliceFeature: string;
  readonly sliceValue: string;
  readonly metric: string;
  readonly classLabel: string;
  readonly value: number | null;
  readonly reason: string | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly n: number;
}

/** The last comparison of a test and metric with the version in production. */
export interface ComparisonInput {
  readonly id: string;
  readonly test: ComparisonTest;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly difference: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly confidence: number;
  readonly adjustedP: number | null;
}

/** All that a decision is made from, as JSON, with the ids of what it came from. */
export interface GateInputs {
  /** ISO 8601. */
  readonly decidedAt: string;
  /** Who registered the version. */
  readonly author: string | null;
  /** The last evaluation of the version on the rows that the policy names. */
  readonly evaluation: {
    readonly id: string;
    readonly datasetDigest: string;
    readonly split: string;
    readonly n: number;
    readonly createdAt: string;
    /** Rows that a slice needed to be measured, and how many had fewer; null where nothing was sliced. */
    readonly minSliceRows: number | null;
    readonly slicesLeftOut: number | null;
  } | null;
  readonly metrics: readonly MetricInput[];
  /** The version that is in production now, the last that came; null where none is but this one. */
  readonly production: { readonly id: string; readonly version: string } | null;
  readonly comparisons: readonly ComparisonInput[];
  /** Actors whose last word is an approval, each once, whatever the spelling. */
  readonly approvals: readonly { readonly actor: string; readonly id: string }[];
}

export interface GateSubject {
  readonly modelName: string;
  readonly versionId: string;
  readonly stage: ModelStage;
}

/** Reads what the clauses of a policy need, in one statement. */
export async function readGateInputs(tx: TenantTx, subject: GateSubject, policy: GatePolicy): Promise<GateInputs> {
  const tenant = tenantOf(tx);
  const { modelName, versionId, stage } = subject;
  const split = policy.dataset?.split ?? 'test';
  const onRows = (table: string): SQL => {
    const { digest } = policy.dataset ?? {};
    const named = sql.raw(table);
    const ofDigest = digest === undefined ? sql`true` : sql`${named}.dataset_digest = ${digest}`;
    return sql`${ofDigest} and ${named}.split = ${split} and ${named}.slice = ''`;
  };
  const [row] = await tx.execute<{ inputs: Omit<GateInputs, 'approvals'>; words: readonly Word[] }>(sql`
    with subject as (
      select v.actor from ${modelRegistry} v where v.tenant_id = ${tenant} and v.id = ${versionId}::uuid
    ), evaluation as (
      select e.id, e.dataset_digest, e.split, e.n, e.created_at, e.parameters from ${evaluations} e
       where e.tenant_id = ${tenant} and e.version_id = ${versionId}::uuid and ${onRows('e')}
       order by e.created_at desc, e.id desc limit 1
    ), production as (
      select v.id, v.version from ${modelRegistry} v
       where v.tenant_id = ${tenant} and v.name = ${modelName} and v.stage = 'production' and v.deleted_at is null
         and v.id <> ${versionId}::uuid
       order by v.stage_change_number desc, v.id desc limit 1
    ), comparison as (
      select distinct on (c.test, c.metric) c.*
        from ${modelComparisons} c join production p on c.baseline_version_id = p.id
       where c.tenant_id = ${tenant} and c.candidate_version_id = ${versionId}::uuid and ${onRows('c')}
       order by c.test, c.metric, c.created_at desc, c.id desc
    ), word as (
      select distinct on (a.actor) a.actor, a.id, a.approved, a.created_at from ${gateApprovals} a
       where a.tenant_id = ${tenant} and a.version_id = ${versionId}::uuid and a.stage = ${stage}
       order by a.actor, a.created_at desc, a.id desc
    )
    select json_build_object(
      'decidedAt', to_char(app_now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'author', (select actor from subject),
      'evaluation', (select json_build_object('id', id, 'datasetDigest', dataset_digest, 'split', split, 'n', n,
          'createdAt', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'minSliceRows', parameters->'minSliceRows', 'slicesLeftOut', parameters->'slicesLeftOut') from evaluation),
      'metrics', coalesce((select json_agg(json_build_object(
          'sliceFeature', m.slice_feature, 'sliceValue', m.slice_value, 'metric', m.metric, 'classLabel', m.class_label,
          'value', m.value, 'reason', m.reason, 'lower', m.lower, 'upper', m.upper, 'n', m.n)
          order by m.slice_feature, m.slice_value, m.metric, m.class_label)
        from ${evaluationMetrics} m join evaluation e on m.evaluation_id = e.id
       where m.tenant_id = ${tenant} and ${readMetrics(policy)}), '[]'),
      'production', (select json_build_object('id', id, 'version', version) from production),
      'comparisons', coalesce((select json_agg(json_build_object(
          'id', c.id, 'test', c.test, 'metric', c.metric, 'higherIsBetter', c.higher_is_better,
          'difference', c.difference, 'lower', c.lower, 'upper', c.upper, 'confidence', c.confidence,
          'adjustedP', c.adjusted_p) order by c.test, c.metric) from comparison c), '[]')) as inputs,
      coalesce((select json_agg(json_build_object('actor', actor, 'id', id, 'approved', approved)
                         order by created_at, id) from word), '[]') as words`);
  if (row === undefined) throw new Error('A select without a table gives one row.');
  return { ...row.inputs, approvals: approvalsOf(row.words) };
}

interface Word {
  readonly actor: string;
  readonly id: string;
  readonly approved: boolean;
}

/** Of the words in their order: the last of each actor, where it is an approval. */
function approvalsOf(words: readonly Word[]): GateInputs['approvals'] {
  const last = new Map(words.map((word) => [actorIdentity(word.actor), word]));
  last.delete('');
  return [...last.values()].filter(({ approved }) => approved).map(({ actor, id }) => ({ actor, id }));
}

/** The condition that a metric is of the whole, or of a slice, that a clause names. */
function readMetrics(policy: GatePolicy): SQL {
  const read = policy.clauses.flatMap((clause): readonly SQL[] => {
    if (clause.kind === 'metric') return [sql`m.metric = ${clause.metric} and m.slice_feature = ''`];
    if (clause.kind !== 'slices') return [];
    return [sql`m.metric = ${clause.metric} and m.slice_feature = ${clause.feature} and m.n >= ${clause.minRows}`];
  });
  return read.length === 0 ? sql`false` : sql`(${sql.join(read, sql` or `)})`;
}
