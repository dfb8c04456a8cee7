import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
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
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName } from '../inputs.ts';
import { ledgerNotFound } from '../not-found.ts';
import { predictionLedgers } from './schema.ts';

/** A version that has predictions, and the names of their features. */
export interface PredictionLedger {
  readonly versionId: Id<'ModelVersion'>;
  readonly modelId: Id<'Model'>;
  readonly name: string;
  readonly version: string;
  /** By their places in `predictions.numbers`. */
  readonly numberFeatures: readonly string[];
  /** By their places in `predictions.categories`. */
  readonly categoryFeatures: readonly string[];
  readonly createdAt: Date;
  /** When a feature was last added. */
  readonly updatedAt: Date;
}

const ledgerFields = defineFilterFields({
  versionId: uuidField(predictionLedgers.modelVersionId),
  name: textField(modelRegistry.name),
  createdAt: timeField(predictionLedgers.createdAt),
});

const ledgerList = defineList({
  name: 'predictions.ledgers',
  from: predictionLedgers,
  joins: sql`
    join ${modelRegistry}
      on ${modelRegistry.tenantId} = ${predictionLedgers.tenantId}
     and ${modelRegistry.id} = ${predictionLedgers.modelVersionId}`,
  columns: {
    versionId: predictionLedgers.modelVersionId,
    modelId: predictionLedgers.modelId,
    name: modelRegistry.name,
    version: modelRegistry.version,
    numberFeatures: predictionLedgers.numberFeatures,
    categoryFeatures: predictionLedgers.categoryFeatures,
    createdAt: predictionLedgers.createdAt,
    updatedAt: predictionLedgers.updatedAt,
  },
  order: defineOrder({
    fields: ledgerFields,
    byDefault: [{ field: 'versionId', direction: 'desc' }],
    tieBreaker: ledgerFields.fields.versionId,
  }),
});

export const GetLedgerInput = z.strictObject(versionSubject).refine(namesOneVersion, ONE_VERSION);
export type GetLedgerInput = Readonly<z.input<typeof GetLedgerInput>>;

/** The ledger of a version. One statement, no lock. @throws DomainError `not_found` where it has no predictions. */
export async function getLedger(tx: TenantTx, input: GetLedgerInput): Promise<PredictionLedger> {
  const subject = parseInput(GetLedgerInput, input);
  const condition = sql`${predictionLedgers.tenantId} = ${tenantOf(tx)} and ${predictionLedgers.modelVersionId} = ${versionIdOf(tx, subject)}`;
  const { items } = await readPage(tx, ledgerList, { within: { condition, of: [] }, limit: 1 });
  const [ledger] = items;
  if (ledger === undefined) throw ledgerNotFound();
  return ledger;
}

export const ListLedgersInput = z.strictObject({ ...PageInput.shape, name: modelName.optional() });
export type ListLedgersInput = Readonly<z.input<typeof ListLedgersInput>>;

/** The versions that have predictions, of one model or of all, the newest first, by pages. One statement, no lock. */
export async function listLedgers(tx: TenantTx, input: ListLedgersInput = {}): Promise<Page<PredictionLedger>> {
  const { name, ...page } = parseInput(ListLedgersInput, input);
  const within = { condition: name === undefined ? undefined : eq(modelRegistry.name, name), of: [name ?? null] };
  return await readPage(tx, ledgerList, { ...page, within });
}
