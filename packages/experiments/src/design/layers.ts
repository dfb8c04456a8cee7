import {
  DomainError,
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  type Id,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { layerNotFound } from '../not-found.ts';
import { descriptionText, keyName, seedText } from './experiment-inputs.ts';
import { freeRanges, type LayerRange } from './free-ranges.ts';
import { abExperiments, abLayers, type ExperimentStatus } from './schema.ts';

/** A range that a running or paused experiment has. */
export interface TakenRange extends LayerRange {
  readonly experimentId: Id<'Experiment'>;
  readonly experimentKey: string;
  readonly status: Extract<ExperimentStatus, 'running' | 'paused'>;
}

/** Experiments of one layer that run at the same time share no unit. */
export interface Layer extends Readonly<Omit<typeof abLayers.$inferSelect, 'tenantId'>> {
  /** In the order of their starts. */
  readonly taken: readonly TakenRange[];
  /** What an experiment that starts now may take, in order. */
  readonly free: readonly LayerRange[];
}

export const CreateLayerInput = z.strictObject({
  key: keyName,
  /** The name of the namespace, as GrowthBook calls it. Default: the key. */
  seed: seedText.optional(),
  description: descriptionText.nullish(),
});
export type CreateLayerInput = Readonly<z.input<typeof CreateLayerInput>>;

/** Creates a layer; all of it is free. One round trip, no lock. @throws DomainError `already_exists`. */
export async function createLayer(tx: TenantTx, input: CreateLayerInput): Promise<Layer> {
  const { key, seed = key, description } = parseInput(CreateLayerInput, input);
  const [made] = await tx
    .insert(abLayers)
    .values({ key, seed, description })
    .onConflictDoNothing({ target: [abLayers.tenantId, abLayers.key] })
    .returning(ownColumns);
  if (made === undefined) throw new DomainError('already_exists', 'A layer with this key exists already.');
  return toLayer({ ...made, taken: [] });
}

const { tenantId: _, ...ownColumns } = getTableColumns(abLayers);

// In raw SQL the outer table is spelled out: Drizzle drops it from columns.
const taken = sql<readonly TakenRange[]>`(
  select coalesce(json_agg(json_build_object(
           'experimentId', e.id, 'experimentKey', e.key, 'status', e.status, 'start', e.layer_start, 'end', e.layer_end)
           order by e.layer_start), '[]')
    from ${abExperiments} e
   where e.tenant_id = ab_layers.tenant_id and e.layer_id = ab_layers.id and e.status in ('running', 'paused'))`;

const columns = { ...ownColumns, taken };
const toLayer = (row: Omit<Layer, 'free'>): Layer => ({ ...row, free: freeRanges(row.taken) });

export const GetLayerInput = z.strictObject({ key: keyName });
export type GetLayerInput = Readonly<z.input<typeof GetLayerInput>>;

/** A layer with what is taken of it, and what is free. One statement, no lock. @throws DomainError `not_found`. */
export async function getLayer(tx: TenantTx, input: GetLayerInput): Promise<Layer> {
  const { key } = parseInput(GetLayerInput, input);
  const [row] = await tx
    .select(columns)
    .from(abLayers)
    .where(and(eq(abLayers.tenantId, tenantOf(tx)), eq(abLayers.key, key)));
  if (row === undefined) throw layerNotFound();
  return toLayer(row);
}

const fields = defineFilterFields({
  id: uuidField(abLayers.id),
  key: textField(abLayers.key),
  created_at: timeField(abLayers.createdAt),
});

const layerList = defineList({
  name: 'experiments.layers',
  from: abLayers,
  columns,
  order: defineOrder({ fields, byDefault: [{ field: 'key' }], tieBreaker: fields.fields.id }),
  toItem: toLayer,
});

export const ListLayersInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `key LIKE 'search%'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: by key. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListLayersInput = Readonly<z.input<typeof ListLayersInput>>;

/**
 * The tenant's layers with what is taken of them, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listLayers(tx: TenantTx, input: ListLayersInput = {}): Promise<Page<Layer>> {
  return await readPage(tx, layerList, parseInput(ListLayersInput, input));
}
