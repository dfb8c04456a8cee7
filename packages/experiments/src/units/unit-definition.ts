import { createHash } from 'node:crypto';
import {
  booleanArray,
  DomainError,
  float8Array,
  int8Array,
  type TenantTx,
  tenantOf,
  textArray,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { abAllocations, abExperiments, abMetrics, type MetricKind } from '../design/schema.ts';

interface UnitMetric {
  readonly id: string;
  readonly kind: MetricKind;
  readonly position: number;
  readonly quantile: number | null;
}

/** By what the units of an experiment are counted. */
export interface UnitDefinition {
  readonly experimentId: string;
  readonly metrics: readonly UnitMetric[];
  readonly reads: readonly OutcomeRead[];
  /** Allocations in their order, and when they began. */
  readonly epochs: readonly { readonly epoch: number; readonly fromMs: number }[];
  readonly digest: string;
}

/** The outcomes of one name that a metric counts, by how long after the first exposure they came. */
export interface OutcomeRead {
  readonly place: number;
  /** Of the covariate or denominator, and not the value. */
  readonly isX: boolean;
  readonly outcome: string;
  readonly fromMs: number;
  /** Not included. */
  readonly toMs: number;
  /** Of the reads of this outcome that count it, from 1; 0 for covariates, which count none. */
  readonly turn: number;
  /** A unit with any is 1. */
  readonly isAny: boolean;
}

interface Row extends Record<string, unknown> {
  readonly metrics: readonly (UnitMetric & {
    readonly outcome: string;
    readonly denominator: string | null;
    readonly delay_ms: number;
    readonly window_ms: number | null;
    readonly cuped_ms: number | null;
  })[];
  readonly epochs: readonly { readonly epoch: number; readonly from_ms: number }[];
}

/** Further than outcomes can lie apart. */
const ENDLESS_MS = 200 * 365.25 * 86_400_000;

/**
 * Reads by what the units of an experiment are counted. One round trip.
 *
 * @throws DomainError `not_found` without the experiment.
 */
export async function readUnitDefinition(tx: TenantTx, experimentId: string): Promise<UnitDefinition> {
  const tenant = tenantOf(tx);
  const [row] = await tx.execute<Row>(sql`
    select coalesce((select jsonb_agg(jsonb_build_object(
                       'id', m.id, 'kind', m.kind, 'position', m.position, 'quantile', m.quantile, 'outcome', m.outcome,
                       'denominator', m.denominator, 'delay_ms', m.delay_ms, 'window_ms', m.window_ms, 'cuped_ms', m.cuped_ms)
                       order by m.position)
                       from ${abMetrics} m
                      where m.tenant_id = ${tenant} and m.experiment_id = e.id), '[]') as metrics,
           coalesce((select jsonb_agg(jsonb_build_object(
                       'epoch', a.epoch, 'from_ms', (extract(epoch from a.created_at) * 1000)::float8) order by a.epoch)
                       from ${abAllocations} a
                      where a.tenant_id = ${tenant} and a.experiment_id = e.id), '[]') as epochs
      from ${abExperiments} e
     where e.tenant_id = ${tenant} and e.id = ${experimentId}::uuid`);
  if (row === undefined) {
    throw new DomainError('not_found', 'There is no such experiment. Check its id.', {
      details: { field: 'experimentId' },
    });
  }
  const reads = readsOf(row.metrics);
  const epochs = row.epochs.map(({ epoch, from_ms: fromMs }) => ({ epoch, fromMs }));
  const metrics = row.metrics.map(({ id, kind, position, quantile }) => ({ id, kind, position, quantile }));
  // Quantiles are taken where they are read, from values that are the same for each.
  const counted = JSON.stringify([
    VERSION,
    metrics.map(({ id, kind, position }) => [id, kind, position]),
    reads,
    epochs,
  ]);
  return { experimentId, metrics, reads, epochs, digest: createHash('sha256').update(counted).digest('hex') };
}

/** One more with each change of what rows and sums are made of, so that all are made anew. */
const VERSION = 1;

function readsOf(metrics: Row['metrics']): readonly OutcomeRead[] {
  const reads: OutcomeRead[] = [];
  const turns = new Map<string, number>();
  for (const { position: place, kind, outcome, denominator, delay_ms, window_ms, cuped_ms } of metrics) {
    const window = { fromMs: delay_ms, toMs: window_ms === null ? ENDLESS_MS : delay_ms + window_ms };
    const isAny = kind === 'proportion';
    const add = (name: string, isX: boolean) => {
      const turn = (turns.get(name) ?? 0) + 1;
      turns.set(name, turn);
      reads.push({ place, isX, outcome: name, ...window, turn, isAny });
    };
    add(outcome, false);
    if (kind === 'ratio' && denominator !== null) add(denominator, true);
    else if (kind !== 'quantile' && cuped_ms !== null) {
      reads.push({ place, isX: true, outcome, fromMs: -cuped_ms, toMs: 0, turn: 0, isAny });
    }
  }
  return reads;
}

/** The reads as the rows of `reads`. */
export const readRows = (reads: readonly OutcomeRead[]): SQL => sql`
  select place::smallint, is_x, outcome, make_interval(secs => from_ms / 1000) as from_i,
         make_interval(secs => to_ms / 1000) as to_i, turn, is_any
    from unnest(${int8Array(reads.map(({ place }) => place))}, ${booleanArray(reads.map(({ isX }) => isX))},
                ${textArray(reads.map(({ outcome }) => outcome))}, ${float8Array(reads.map(({ fromMs }) => fromMs))},
                ${float8Array(reads.map(({ toMs }) => toMs))}, ${int8Array(reads.map(({ turn }) => turn))},
                ${booleanArray(reads.map(({ isAny }) => isAny))})
           as r (place, is_x, outcome, from_ms, to_ms, turn, is_any)`;

/**
 * A time that the planner knows: of the text of a parameter the server would read it again for each row, which took more
 * than half of a scan of exposures.
 */
export const constantTime = (time: Date): SQL => sql`to_timestamp(${time.getTime() / 1_000}::float8)`;

/** The allocation that held at a time: that of a unit that was not assigned by name. */
export function epochAt(time: SQL, { epochs }: UnitDefinition): SQL {
  const [first, ...later] = epochs;
  if (first === undefined) return sql`1`;
  const cases = later
    .toReversed()
    .map(({ epoch, fromMs }) => sql`when ${time} >= to_timestamp(${fromMs / 1_000}::float8) then ${epoch}::int`);
  return cases.length === 0
    ? sql`${first.epoch}::int`
    : sql`case ${sql.join(cases, sql` `)} else ${first.epoch}::int end`;
}
