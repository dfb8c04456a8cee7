import {
  DomainError,
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  type Id,
  numberField,
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
import { holdoutNotFound } from '../not-found.ts';
import { descriptionText, keyName, seedText } from './experiment-inputs.ts';
import { abExperiments, abHoldoutExperiments, abHoldouts, type ExperimentStatus } from './schema.ts';

/** A share of all units that none of its experiments asks: what they come to together is measured against it. */
export interface Holdout extends Readonly<Omit<typeof abHoldouts.$inferSelect, 'tenantId'>> {
  /** That are held out of it, by their keys. */
  readonly experiments: readonly {
    readonly id: Id<'Experiment'>;
    readonly key: string;
    readonly status: ExperimentStatus;
  }[];
}

export const CreateHoldoutInput = z.strictObject({
  key: keyName,
  /** Of all units, above 0 and below 1. */
  share: z.number().gt(0).lt(1),
  /** What its hash takes beside the unit: of its own, so that a holdout says nothing of variants. Default: `holdout:<key>`. */
  seed: seedText.optional(),
  description: descriptionText.nullish(),
});
export type CreateHoldoutInput = Readonly<z.input<typeof CreateHoldoutInput>>;

/**
 * Creates a holdout of no experiment yet; experiments name it while they are drafts. Its share stays: growing it would take
 * units out of experiments, and shrinking it let them in. One round trip, no lock. @throws DomainError `already_exists`.
 */
export async function createHoldout(tx: TenantTx, input: CreateHoldoutInput): Promise<Holdout> {
  const { key, share, seed = `holdout:${key}`, description } = parseInput(CreateHoldoutInput, input);
  const [made] = await tx
    .insert(abHoldouts)
    .values({ key, share, seed, description })
    .onConflictDoNothing({ target: [abHoldouts.tenantId, abHoldouts.key] })
    .returning(ownColumns);
  if (made === undefined) throw new DomainError('already_exists', 'A holdout with this key exists already.');
  return { ...made, experiments: [] };
}

const { tenantId: _, ...ownColumns } = getTableColumns(abHoldouts);

// In raw SQL the outer table is spelled out: Drizzle drops it from columns.
const experiments = sql<Holdout['experiments']>`(
  select coalesce(json_agg(json_build_object('id', e.id, 'key', e.key, 'status', e.status) order by e.key), '[]')
    from ${abHoldoutExperiments} h
    join ${abExperiments} e on e.tenant_id = h.tenant_id and e.id = h.experiment_id
   where h.tenant_id = ab_holdouts.tenant_id and h.holdout_id = ab_holdouts.id)`;

const columns = { ...ownColumns, experiments };

export const GetHoldoutInput = z.strictObject({ key: keyName });
export type GetHoldoutInput = Readonly<z.input<typeof GetHoldoutInput>>;

/** A holdout with its experiments. One statement, no lock. @throws DomainError `not_found`. */
export async function getHoldout(tx: TenantTx, input: GetHoldoutInput): Promise<Holdout> {
  const { key } = parseInput(GetHoldoutInput, input);
  const [row] = await tx
    .select(columns)
    .from(abHoldouts)
    .where(and(eq(abHoldouts.tenantId, tenantOf(tx)), eq(abHoldouts.key, key)));
  if (row === undefined) throw holdoutNotFound();
  return row;
}

const fields = defineFilterFields({
  id: uuidField(abHoldouts.id),
  key: textField(abHoldouts.key),
  share: numberField(abHoldouts.share),
  created_at: timeField(abHoldouts.createdAt),
});

const holdoutList = defineList({
  name: 'experiments.holdouts',
  from: abHoldouts,
  columns,
  order: defineOrder({ fields, byDefault: [{ field: 'key' }], tieBreaker: fields.fields.id }),
});

export const ListHoldoutsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `share > 0.05`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof fields>>().optional(),
  /** Default: by key. */
  orderBy: z.custom<OrderInput<typeof fields>>().optional(),
});
export type ListHoldoutsInput = Readonly<z.input<typeof ListHoldoutsInput>>;

/**
 * The tenant's holdouts with their experiments, by pages. One statement, no lock.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listHoldouts(tx: TenantTx, input: ListHoldoutsInput = {}): Promise<Page<Holdout>> {
  return await readPage(tx, holdoutList, parseInput(ListHoldoutsInput, input));
}
