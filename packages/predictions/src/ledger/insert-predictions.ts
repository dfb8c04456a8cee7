import { DomainError, float8Array, type TenantTx, tenantOf, textArray, uuidArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import type { FeaturePlaces, OpenLedger } from './open-ledger.ts';
import type { PreparedPrediction } from './prepare-predictions.ts';
import { predictions } from './schema.ts';

/**
 * Inserts predictions that come in the order of their ids, and gives how many were new. One round trip; two where some
 * were there.
 *
 * @throws DomainError `conflict`, naming the index, where an id was recorded with other content.
 */
export async function insertPredictions(
  tx: TenantTx,
  ledger: OpenLedger,
  rows: readonly PreparedPrediction[],
): Promise<number> {
  const given = givenRows(rows, ledger.places);
  const [outcome] = await tx.execute<{ recorded: number }>(sql`
    with recorded as (
      insert into ${predictions} (tenant_id, model_version_id, ${columns})
      select ${tenantOf(tx)}, ${ledger.versionId}::uuid, ${typed} from ${given} as given (${columns})
          on conflict (tenant_id, id) do nothing
      returning 1
    )
    select count(*)::int as recorded from recorded`);
  const recorded = outcome?.recorded ?? 0;
  if (recorded < rows.length) await refuseOtherContent(tx, ledger, rows, given);
  return recorded;
}

const columns = sql.raw(
  'id, subject, label, score, output, numbers, categories, latency_ms, source, batch_job_id, run_id, experiment, variant',
);
const typed = sql.raw(
  'id, subject, label, score, output, numbers::float8[], categories::text[], latency_ms, source, batch_job_id, run_id, experiment, variant',
);

/** A repeated id that means something else is a defect of the caller's, which would lose a prediction in silence. */
async function refuseOtherContent(
  tx: TenantTx,
  ledger: OpenLedger,
  rows: readonly PreparedPrediction[],
  given: SQL,
): Promise<void> {
  const [other] = await tx.execute<{ number: number }>(sql`
    select given.number::int as number
      from ${given} with ordinality as given (${columns}, number)
      join ${predictions} p on p.tenant_id = ${tenantOf(tx)} and p.id = given.id
     where (p.model_version_id, p.subject, p.label, p.score, p.output, p.numbers, p.categories, p.latency_ms, p.source,
            p.batch_job_id, p.run_id, p.experiment, p.variant)
           is distinct from
           (${ledger.versionId}::uuid, given.subject, given.label, given.score, given.output, given.numbers::float8[],
            given.categories::text[], given.latency_ms, given.source, given.batch_job_id, given.run_id,
            given.experiment, given.variant)
     order by number
     limit 1`);
  if (other === undefined) return;
  const index = rows[other.number - 1]?.index ?? 0;
  const field = `predictions[${index}].id`;
  throw new DomainError(
    'conflict',
    `${field} was recorded before, with another version or other content. Each prediction has an id of its own.`,
    { details: { field, index } },
  );
}

function givenRows(rows: readonly PreparedPrediction[], places: FeaturePlaces): SQL {
  const features = rows.map(({ features }) => featureArrays(features, places));
  return sql`
    unnest(${uuidArray(rows.map(({ id }) => id))}, ${textArray(rows.map(({ subject }) => subject))},
           ${textArray(rows.map(({ label }) => label))}, ${float8Array(rows.map(({ score }) => score))},
           ${textArray(rows.map(({ output }) => output))}::jsonb[],
           ${textArray(features.map(({ numbers }) => numbers))}, ${textArray(features.map(({ categories }) => categories))},
           ${float8Array(rows.map(({ latencyMs }) => latencyMs))}, ${textArray(rows.map(({ source }) => source))},
           ${uuidArray(rows.map(({ batchJobId }) => batchJobId))}, ${uuidArray(rows.map(({ runId }) => runId))},
           ${textArray(rows.map(({ experiment }) => experiment))}, ${textArray(rows.map(({ variant }) => variant))})`;
}

/** As array literals, as long as the last value that is there: an earlier row is no other content for later features. */
export function featureArrays(features: PreparedPrediction['features'], places: FeaturePlaces) {
  const numbers: string[] = [];
  const categories: string[] = [];
  for (const name in features) {
    const value = features[name];
    if (value === null || value === undefined) continue;
    if (typeof value === 'number') put(numbers, places.numbers.get(name), Object.is(value, -0) ? '-0' : String(value));
    else put(categories, places.categories.get(name), quoted(String(value)));
  }
  return { numbers: `{${numbers.join(',')}}`, categories: `{${categories.join(',')}}` };
}

function put(array: string[], place: number | undefined, text: string): void {
  if (place === undefined) throw new TypeError('A ledger has places for all features of its predictions');
  while (array.length < place) array.push('NULL');
  array[place] = text;
}

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
