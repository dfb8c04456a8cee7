import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentNotFound } from '../not-found.ts';
import { type ExperimentSubject, experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from './experiment-inputs.ts';
import {
  abAllocations,
  abExperiments,
  abHoldoutExperiments,
  abHoldouts,
  abLayers,
  abMetrics,
  abVariants,
  type MetricDirection,
  type MetricKind,
  type MetricRole,
  type VariantRange,
} from './schema.ts';

/** A row of ab_experiments, without what only the package itself needs. */
export type ExperimentRow = Readonly<Omit<typeof abExperiments.$inferSelect, 'tenantId' | 'lastChangeNumber'>>;

export interface ExperimentVariant {
  readonly id: Id<'Variant'>;
  readonly key: string;
  readonly isControl: boolean;
  /** Of the units that the experiment asks, in its current allocation. */
  readonly weight: number;
  readonly modelVersionId: Id<'ModelVersion'> | null;
  readonly description: string | null;
}

/** What is measured of each unit, and how it is judged. The columns of ab_metrics say more. */
export interface ExperimentMetric {
  readonly id: Id<'ExperimentMetric'>;
  readonly key: string;
  readonly role: MetricRole;
  readonly kind: MetricKind;
  readonly outcome: string;
  readonly denominator: string | null;
  readonly quantile: number | null;
  readonly direction: MetricDirection;
  readonly minimumEffect: number | null;
  readonly alpha: number | null;
  readonly delayMs: number;
  readonly windowMs: number | null;
  readonly cupedMs: number | null;
}

/** How the hash is shared out in one epoch. */
export interface ExperimentAllocation {
  readonly epoch: number;
  readonly seed: string;
  readonly hashVersion: number;
  readonly coverage: number;
  /** In the order of their starts, without overlap. Places in none of them are not asked. */
  readonly ranges: readonly VariantRange[];
  /** Whether GrowthBook's SDKs assign the same from seed, coverage and weights. */
  readonly sdkCompatible: boolean;
}

/** The part of a layer that an experiment takes: `start <= namespacePlace(unit, seed) < end`. */
export interface ExperimentLayer {
  readonly id: Id<'Layer'>;
  readonly key: string;
  readonly seed: string;
  readonly start: number;
  readonly end: number;
}

/** Units with `hashUnit({ seed, unit }) < share` are held out. */
export interface ExperimentHoldout {
  readonly id: Id<'Holdout'>;
  readonly key: string;
  readonly seed: string;
  readonly share: number;
}

/** All that an experiment is assigned and analysed by. */
export interface ExperimentDefinition extends Omit<ExperimentRow, 'layerId' | 'layerStart' | 'layerEnd'> {
  /** In the order in which they were given. */
  readonly variants: readonly ExperimentVariant[];
  /** In the order in which they were given. */
  readonly metrics: readonly ExperimentMetric[];
  readonly allocation: ExperimentAllocation;
  readonly layer: ExperimentLayer | null;
  /** By their keys. */
  readonly holdouts: readonly ExperimentHoldout[];
}

export const GetExperimentInput = z
  .strictObject(experimentSubject)
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type GetExperimentInput = Readonly<z.input<typeof GetExperimentInput>>;

const { tenantId: _, lastChangeNumber: __, ...rowColumns } = getTableColumns(abExperiments);
/** The columns of an ExperimentRow. */
export const experimentColumns = rowColumns;

// In raw SQL the outer table is spelled out: Drizzle drops it from columns.
const ofExperiment = (alias: string) =>
  sql.raw(`${alias}.tenant_id = ab_experiments.tenant_id and ${alias}.experiment_id = ab_experiments.id`);

const variants = sql<readonly Omit<ExperimentVariant, 'weight'>[]>`(
  select coalesce(json_agg(json_build_object(
           'id', v.id, 'key', v.key, 'isControl', v.is_control, 'modelVersionId', v.model_version_id,
           'description', v.description) order by v.position), '[]')
    from ${abVariants} v where ${ofExperiment('v')})`;

const metrics = sql<readonly ExperimentMetric[]>`(
  select coalesce(json_agg(json_build_object(
           'id', m.id, 'key', m.key, 'role', m.role, 'kind', m.kind, 'outcome', m.outcome, 'denominator', m.denominator,
           'quantile', m.quantile, 'direction', m.direction, 'minimumEffect', m.minimum_effect, 'alpha', m.alpha,
           'delayMs', m.delay_ms, 'windowMs', m.window_ms, 'cupedMs', m.cuped_ms) order by m.position, m.id), '[]')
    from ${abMetrics} m where ${ofExperiment('m')})`;

const allocation = sql<ExperimentAllocation & { readonly weights: readonly number[] }>`(
  select json_build_object(
           'epoch', a.epoch, 'seed', a.seed, 'hashVersion', a.hash_version, 'coverage', a.coverage, 'weights', a.weights,
           'ranges', a.ranges, 'sdkCompatible', a.sdk_compatible)
    from ${abAllocations} a where ${ofExperiment('a')} and a.epoch = ab_experiments.epoch)`;

const layer = sql<ExperimentLayer | null>`(
  select json_build_object(
           'id', l.id, 'key', l.key, 'seed', l.seed, 'start', ab_experiments.layer_start, 'end', ab_experiments.layer_end)
    from ${abLayers} l where l.tenant_id = ab_experiments.tenant_id and l.id = ab_experiments.layer_id)`;

const holdouts = sql<readonly ExperimentHoldout[]>`(
  select coalesce(json_agg(json_build_object('id', h.id, 'key', h.key, 'seed', h.seed, 'share', h.share) order by h.key), '[]')
    from ${abHoldoutExperiments} e
    join ${abHoldouts} h on h.tenant_id = e.tenant_id and h.id = e.holdout_id
   where ${ofExperiment('e')})`;

/** As findExperiment. @throws DomainError `not_found` where it gives undefined. */
export async function getExperiment(tx: TenantTx, input: GetExperimentInput): Promise<ExperimentDefinition> {
  const found = await findExperiment(tx, input);
  if (found === undefined) throw experimentNotFound();
  return found;
}

/** The whole definition of an experiment, or undefined where it is not there. One statement, no lock. */
export async function findExperiment(
  tx: TenantTx,
  input: GetExperimentInput,
): Promise<ExperimentDefinition | undefined> {
  const subject = parseInput(GetExperimentInput, input);
  const [row] = await tx
    .select({ ...experimentColumns, variants, metrics, allocation, layer, holdouts })
    .from(abExperiments)
    .where(isExperiment(tx, subject));
  return row === undefined ? undefined : toDefinition(row);
}

/** The condition on ab_experiments that names one of the tenant's. */
export function isExperiment(tx: TenantTx, { key = '', experimentId }: ExperimentSubject): SQL | undefined {
  return and(
    eq(abExperiments.tenantId, tenantOf(tx)),
    experimentId === undefined ? eq(abExperiments.key, key) : eq(abExperiments.id, experimentId as Id<'Experiment'>),
  );
}

interface ReadRow extends ExperimentRow {
  readonly variants: readonly Omit<ExperimentVariant, 'weight'>[];
  readonly metrics: readonly ExperimentMetric[];
  readonly allocation: ExperimentAllocation & { readonly weights: readonly number[] };
  readonly layer: ExperimentLayer | null;
  readonly holdouts: readonly ExperimentHoldout[];
}

function toDefinition({ layerId: _id, layerStart: _start, layerEnd: _end, ...row }: ReadRow): ExperimentDefinition {
  const { weights, ...inForce } = row.allocation;
  return {
    ...row,
    variants: row.variants.map((variant, at) => ({ ...variant, weight: weights[at] ?? 0 })),
    allocation: inForce,
  };
}
