import { DomainError, type Id, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { updateModel, type VersionSubject, versionIdOf } from '@mcp-hub/registry';
import { modelRegistry, registeredModels } from '@mcp-hub/registry/schema';
import { sql } from 'drizzle-orm';
import { PREDICTION_LIMITS } from '../limits.ts';
import { versionNotFound } from '../not-found.ts';
import { predictionLedgers, predictionModels } from './schema.ts';

export type FeatureKind = 'number' | 'category';

/** Where a version's features stand in `numbers` and `categories`, from 0. */
export interface FeaturePlaces {
  readonly numbers: ReadonlyMap<string, number>;
  readonly categories: ReadonlyMap<string, number>;
}

/** A ledger whose row this transaction holds FOR KEY SHARE. */
export interface OpenLedger {
  readonly versionId: Id<'ModelVersion'>;
  readonly places: FeaturePlaces;
  /** Whether the days of what is recorded are marked. */
  readonly marksDays: boolean;
  /** The transaction's time. */
  readonly now: Date;
}

/** A feature as a batch names it: its kind, and the first prediction that says so. */
type WantedFeatures = ReadonlyMap<string, { readonly kind: FeatureKind; readonly index: number }>;

interface LedgerRow extends Record<string, unknown> {
  readonly version_id: Id<'ModelVersion'> | null;
  readonly is_there: boolean;
  readonly marks_days: boolean | null;
  readonly number_features: readonly string[] | null;
  readonly category_features: readonly string[] | null;
  readonly now_ms: number;
}

/**
 * Finds the version and its ledger, which it makes for the first prediction, and holds the ledger's row FOR KEY SHARE until
 * the transaction ends, so that it stays. One round trip; five where the ledger is new.
 *
 * @throws DomainError `not_found` without the version.
 */
export async function openLedger(tx: TenantTx, subject: VersionSubject): Promise<OpenLedger> {
  // A ledger that prunePredictions deletes between making and opening it is made once more.
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const [row] = await tx.execute<LedgerRow>(sql`
      with version as materialized (
        select ${versionIdOf(tx, subject)} as id
      ), ledger as materialized (
        select l.number_features, l.category_features, l.marks_days
          from ${predictionLedgers} l
         where l.tenant_id = ${tenantOf(tx)} and l.model_version_id = (select id from version)
           for key share
      )
      select version.id as version_id, ledger.number_features is not null as is_there, ledger.number_features,
             ledger.category_features, ledger.marks_days, (extract(epoch from app_now()) * 1000)::float8 as now_ms
        from version left join ledger on true`);
    const versionId = row?.version_id ?? null;
    if (row === undefined || versionId === null) throw versionNotFound();
    if (row.is_there) {
      const places = featurePlaces(row.number_features ?? [], row.category_features ?? []);
      return { versionId, places, marksDays: row.marks_days ?? false, now: new Date(row.now_ms) };
    }
    await makeLedger(tx, versionId);
  }
  throw new DomainError('conflict', 'The ledger of this version was deleted while it was opened. Try again.', {
    details: { retryable: true },
  });
}

function featurePlaces(numbers: readonly string[], categories: readonly string[]): FeaturePlaces {
  const placesOf = (names: readonly string[]) => new Map(names.map((name, place) => [name, place]));
  return { numbers: placesOf(numbers), categories: placesOf(categories) };
}

/**
 * Makes the ledger, or only the row of its model, where another makes that in this moment: the next attempt sees it. That
 * row is held before the foreign key is checked, which would throw where prunePredictions is just deleting it.
 */
export async function makeLedger(tx: TenantTx, versionId: string): Promise<void> {
  const tenant = tenantOf(tx);
  const [version] = await tx.execute<{ name: string; has_model: boolean }>(sql`
    select v.name, m.id is not null as has_model
      from ${modelRegistry} v
      left join ${registeredModels} m on m.tenant_id = v.tenant_id and m.name = v.name
     where v.tenant_id = ${tenant} and v.id = ${versionId}::uuid`);
  if (version === undefined) throw versionNotFound();
  // Versions inserted by hand have no row of their model yet.
  if (!version.has_model) await updateModel(tx, { name: version.name });
  await tx.execute(sql`
    with model as (
      select m.id
        from ${modelRegistry} v
        join ${registeredModels} m on m.tenant_id = v.tenant_id and m.name = v.name
       where v.tenant_id = ${tenant} and v.id = ${versionId}::uuid
    ), held as materialized (
      select k.model_id
        from ${predictionModels} k
       where k.tenant_id = ${tenant} and k.model_id = (select id from model)
         for key share
    ), made as (
      insert into ${predictionModels} (tenant_id, model_id)
      select ${tenant}, id from model where not exists (select from held)
          on conflict (tenant_id, model_id) do nothing
      returning model_id
    )
    insert into ${predictionLedgers} (tenant_id, model_version_id, model_id)
    select ${tenant}, ${versionId}::uuid, model_id from (select model_id from held union all select model_id from made) k
        on conflict (tenant_id, model_version_id) do nothing`);
}

/**
 * The ledger with places for these features: those that are new are added at the end of its lists, under its row's lock.
 * Nothing is written and nothing locked where all are known.
 *
 * @throws DomainError `invalid_input`, naming the prediction, for a feature of one kind that was recorded as the other,
 *   and for one too many.
 */
export async function growLedger(tx: TenantTx, ledger: OpenLedger, wanted: WantedFeatures): Promise<OpenLedger> {
  if (hasAll(ledger.places, wanted)) return ledger;
  const own = sql`tenant_id = ${tenantOf(tx)} and model_version_id = ${ledger.versionId}::uuid`;
  const [row] = await tx.execute<{ numbers: readonly string[]; categories: readonly string[] }>(sql`
    select number_features as numbers, category_features as categories from ${predictionLedgers}
     where ${own}
       for no key update`);
  if (row === undefined) throw new TypeError('A ledger that is held stays');
  const known = featurePlaces(row.numbers, row.categories);
  if (hasAll(known, wanted)) return { ...ledger, places: known };
  const numbers: string[] = [];
  const categories: string[] = [];
  for (const [name, { kind, index }] of wanted) {
    if (known.numbers.has(name) || known.categories.has(name)) continue;
    const [names, before] = kind === 'number' ? [numbers, row.numbers] : [categories, row.categories];
    names.push(name);
    if (before.length + names.length > PREDICTION_LIMITS.features) throw tooManyFeatures(index);
  }
  await tx.execute(sql`
    update ${predictionLedgers}
       set number_features   = number_features || ${textArray(numbers)},
           category_features = category_features || ${textArray(categories)},
           updated_at        = app_now()
     where ${own}`);
  return { ...ledger, places: featurePlaces([...row.numbers, ...numbers], [...row.categories, ...categories]) };
}

function hasAll({ numbers, categories }: FeaturePlaces, wanted: WantedFeatures): boolean {
  let all = true;
  for (const [name, { kind, index }] of wanted) {
    const [own, other] = kind === 'number' ? [numbers, categories] : [categories, numbers];
    if (other.has(name)) throw otherKind(index, kind);
    if (!own.has(name)) all = false;
  }
  return all;
}

export function otherKind(index: number, kind: FeatureKind): DomainError {
  const field = `predictions[${index}].features`;
  const [given, before] = kind === 'number' ? ['a number', 'a category'] : ['a category', 'a number'];
  return new DomainError(
    'invalid_input',
    `${field} has ${given} for a feature of which this version has ${before}. A feature keeps its kind: give it another name.`,
    { details: { field, index } },
  );
}

function tooManyFeatures(index: number): DomainError {
  const field = `predictions[${index}].features`;
  const limit = PREDICTION_LIMITS.features;
  return new DomainError(
    'invalid_input',
    `${field} would give its version more than ${limit} features of a kind. Put what is not monitored into output.`,
    { details: { field, index, limit } },
  );
}
