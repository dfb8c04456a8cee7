import { DomainError, type Id, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { calibrationBins, evaluationMetrics, evaluations } from '@mcp-hub/evaluation/schema';
import { type VersionSubject, versionIdOf } from '@mcp-hub/registry';
import { normal } from '@mcp-hub/stats';
import { sql } from 'drizzle-orm';
import { evaluationNotFound } from '../not-found.ts';
import { performanceMetrics } from './performance-metrics.ts';

/** What a window is compared with. */
export interface BaselineEvaluation {
  readonly id: Id<'Evaluation'>;
  readonly versionId: Id<'ModelVersion'>;
  readonly task: 'binary' | 'multiclass';
  /** The class that was positive, where the evaluation's parameters say so. */
  readonly positiveLabel: string | null;
  readonly threshold: number;
  readonly metrics: ReadonlyMap<string, { readonly value: number; readonly standardError: number }>;
  /** Where the bins of the calibration begin, and the share of positives in each that is not empty. */
  readonly calibration: readonly { readonly lower: number; readonly positiveRate: number }[];
}

interface EvaluationRow extends Record<string, unknown> {
  readonly id: Id<'Evaluation'> | null;
  readonly version_id: Id<'ModelVersion'>;
  readonly task: string;
  readonly n: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly metrics: readonly {
    readonly metric: string;
    readonly value: number | null;
    readonly lower: number | null;
    readonly upper: number | null;
    readonly confidence: number | null;
    readonly n: number;
  }[];
  readonly calibration: readonly { readonly lower: number; readonly positiveRate: number | null }[];
}

/** An evaluation of the version with all that a comparison needs. One statement. */
export async function readBaselineEvaluation(
  tx: TenantTx,
  version: VersionSubject,
  evaluationId: string | undefined,
): Promise<BaselineEvaluation> {
  const tenant = tenantOf(tx);
  const chosen = evaluationId === undefined ? sql`e.slice = ''` : sql`e.id = ${evaluationId}::uuid`;
  const [row] = await tx.execute<EvaluationRow>(sql`
    with found as materialized (
      select e.id, e.version_id, e.task, e.n::float8 as n, e.parameters
        from ${evaluations} e
       where e.tenant_id = ${tenant} and e.version_id = ${versionIdOf(tx, version)} and ${chosen}
       order by e.created_at desc, e.id desc
       limit 1
    )
    select f.*,
           (select coalesce(jsonb_agg(jsonb_build_object('metric', m.metric, 'value', m.value, 'lower', m.lower, 'upper', m.upper,
                                                         'confidence', m.confidence, 'n', m.n)), '[]')
              from ${evaluationMetrics} m
             where m.tenant_id = ${tenant} and m.evaluation_id = f.id and m.slice_feature = '' and m.class_label = '') as metrics,
           (select coalesce(jsonb_agg(jsonb_build_object('lower', c.lower, 'positiveRate', c.positive_rate) order by c.bin), '[]')
              from ${calibrationBins} c where c.tenant_id = ${tenant} and c.evaluation_id = f.id) as calibration
      from found f`);
  if (row === undefined || row.id === null) throw evaluationNotFound();
  if (row.task !== 'binary' && row.task !== 'multiclass') {
    throw new DomainError('failed_precondition', 'Only evaluations of classes are compared with predictions.', {
      details: { reason: 'task' },
    });
  }
  const positive = row.parameters['positiveLabel'];
  const threshold = row.parameters['threshold'];
  const metrics = new Map(
    row.metrics.flatMap(({ metric, value, lower, upper, confidence, n }) => {
      if (value === null || !performanceMetrics.some((known) => known === metric)) return [];
      // Half the interval by its level; without one that of a share of the rows.
      const standardError =
        lower !== null && upper !== null && confidence !== null
          ? (upper - lower) / 2 / quantileOf(confidence)
          : Math.sqrt((value * (1 - value)) / Math.max(1, n));
      return [[metric, { value, standardError }] as const];
    }),
  );
  return {
    ...{ id: row.id, versionId: row.version_id, task: row.task, metrics },
    positiveLabel: typeof positive === 'string' ? positive : typeof positive === 'number' ? String(positive) : null,
    threshold: typeof threshold === 'number' ? threshold : 0.5,
    calibration: row.calibration.flatMap(({ lower, positiveRate }) =>
      positiveRate === null ? [] : [{ lower, positiveRate }],
    ),
  };
}

const quantileOf = (confidence: number) => normal().inverseSf((1 - confidence) / 2);
