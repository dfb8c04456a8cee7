import { type Id, type TenantTx, tenantOf, uuidArray } from '@mcp-hub/db-core';
import { getTableColumns, sql } from 'drizzle-orm';
import { setOwn } from '../set-own.ts';
import { type PredictionSource, predictionLabels, predictionLedgers, predictions } from './schema.ts';

/** What is known to be true of the subject of a prediction. */
export interface PredictionTruth {
  /** The true class, or null where the truth is a number. */
  readonly label: string | null;
  readonly value: number | null;
  readonly observedAt: Date;
}

/** A prediction as it is read. */
export interface Prediction {
  readonly id: Id<'Prediction'>;
  readonly versionId: Id<'ModelVersion'>;
  readonly subject: string;
  readonly label: string | null;
  readonly score: number | null;
  readonly output: unknown;
  /** Those that were given. What was true or false is 'true' or 'false'. */
  readonly features: Readonly<Record<string, number | string>>;
  readonly latencyMs: number | null;
  readonly source: PredictionSource;
  readonly batchJobId: string | null;
  readonly runId: string | null;
  readonly experiment: string | null;
  readonly variant: string | null;
  readonly predictedAt: Date;
  /** null until its subject is labelled. */
  readonly truth: PredictionTruth | null;
}

const { tenantId: _, ...ownColumns } = getTableColumns(predictions);

/** The select list of a prediction with its label. */
export const predictionColumns = {
  ...ownColumns,
  trueLabel: predictionLabels.label,
  trueValue: predictionLabels.value,
  observedAt: predictionLabels.observedAt,
};

/** Joins of predictions with their labels, of which each has one at the most. */
export const labelJoin = sql`
  join ${predictionLedgers}
    on ${predictionLedgers.tenantId} = ${predictions.tenantId}
   and ${predictionLedgers.modelVersionId} = ${predictions.modelVersionId}
  left join ${predictionLabels}
    on ${predictionLabels.tenantId} = ${predictions.tenantId}
   and ${predictionLabels.modelId} = ${predictionLedgers.modelId}
   and ${predictionLabels.subject} = ${predictions.subject}`;

type StoredPrediction = Readonly<Omit<typeof predictions.$inferSelect, 'tenantId'>>;

export interface PredictionRow extends StoredPrediction {
  readonly trueLabel: string | null;
  readonly trueValue: number | null;
  readonly observedAt: Date | null;
}

/**
 * Gives predictions their features by name. The lists of names are read behind the rows, once a version and again where a
 * row has more features than were known.
 */
export function featureReader(tx: TenantTx): (rows: readonly PredictionRow[]) => Promise<readonly Prediction[]> {
  const known = new Map<string, FeatureNames>();
  const isUnknown = ({ modelVersionId, numbers, categories }: PredictionRow) => {
    const names = known.get(modelVersionId);
    return names === undefined || numbers.length > names.numbers.length || categories.length > names.categories.length;
  };
  return async (rows) => {
    const unknown = [...new Set(rows.filter(isUnknown).map(({ modelVersionId }) => modelVersionId))];
    for (const [versionId, names] of await readNames(tx, unknown)) known.set(versionId, names);
    return rows.map((row) => toPrediction(row, known.get(row.modelVersionId) ?? { numbers: [], categories: [] }));
  };
}

interface FeatureNames {
  readonly numbers: readonly string[];
  readonly categories: readonly string[];
}

async function readNames(tx: TenantTx, versionIds: readonly string[]): Promise<ReadonlyMap<string, FeatureNames>> {
  if (versionIds.length === 0) return new Map();
  const rows = await tx.execute<{ id: string; numbers: readonly string[]; categories: readonly string[] }>(sql`
    select model_version_id as id, number_features as numbers, category_features as categories
      from ${predictionLedgers}
     where tenant_id = ${tenantOf(tx)} and model_version_id = any (${uuidArray(versionIds)})`);
  return new Map(rows.map(({ id, ...names }) => [id, names]));
}

function toPrediction(row: PredictionRow, names: FeatureNames): Prediction {
  const { modelVersionId, numbers, categories, trueLabel, trueValue, observedAt, ...rest } = row;
  const features: Record<string, number | string> = {};
  // A null has no place in the type of Drizzle's arrays, and stands there all the same.
  for (const [place, value] of (numbers as readonly (number | null)[]).entries()) {
    if (value !== null) setOwn(features, names.numbers[place] ?? '', value);
  }
  for (const [place, value] of (categories as readonly (string | null)[]).entries()) {
    if (value !== null) setOwn(features, names.categories[place] ?? '', value);
  }
  const truth = observedAt === null ? null : { label: trueLabel, value: trueValue, observedAt };
  return { ...rest, versionId: modelVersionId, features, truth };
}
