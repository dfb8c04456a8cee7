import {
  DomainError,
  isDomainError,
  newId,
  type TenantTx,
  tenantOf,
  textArray,
  timeOfId,
  uuidArray,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { encodePredictions, sentColumns } from './encode-predictions.ts';
import type { OpenLedger } from './open-ledger.ts';
import type { PreparedPrediction } from './prepare-predictions.ts';
import { predictionDayMarks, predictions } from './schema.ts';

/** Rows of a statement. From 500 on more are no faster; 2,000 are some hundred KB. */
const PORTION = 2_000;

/**
 * From how many rows on it is tried first without ON CONFLICT, whose look before each insert and whose speculative insert
 * are a fifth of the server's time; the savepoint and the probe are three round trips.
 */
const WORTH_A_SAVEPOINT = 500;

/**
 * Inserts predictions that come in the order of their ids, and gives how many were new. One round trip up to 499, then a
 * few more, and two a portion of 2,000 of which the second is under way while the first is written.
 *
 * @throws DomainError `conflict`, naming the index, where an id was recorded with other content.
 */
export async function insertPredictions(
  tx: TenantTx,
  ledger: OpenLedger,
  rows: readonly PreparedPrediction[],
): Promise<number> {
  if (rows.length >= WORTH_A_SAVEPOINT && (await seemNew(tx, rows))) {
    try {
      return await tx.transaction((inner) => insertPortions(inner, ledger, rows, false));
    } catch (error) {
      // Another call has sent some of the same ids.
      if (!isDomainError(error, 'already_exists')) throw error;
    }
  }
  return await insertPortions(tx, ledger, rows, true);
}

/** Whether ids are unequal and some of them are not there: a batch that is sent again is told by its ends. */
async function seemNew(tx: TenantTx, rows: readonly PreparedPrediction[]): Promise<boolean> {
  if (rows.some(({ id }, number) => number > 0 && id === rows[number - 1]?.id)) return false;
  const probed = [0, rows.length >> 1, rows.length - 1].map((number) => rows[number]?.id ?? null);
  const there = await tx.execute(sql`
    select from ${predictions} where tenant_id = ${tenantOf(tx)} and id = any (${uuidArray(probed)})`);
  return there.length === 0;
}

/** While the server inserts one portion the next is encoded and sent. */
async function insertPortions(
  tx: TenantTx,
  ledger: OpenLedger,
  rows: readonly PreparedPrediction[],
  mayBeThere: boolean,
): Promise<number> {
  let recorded = 0;
  let before: Promise<number> = Promise.resolve(0);
  for (let from = 0; from < rows.length; from += PORTION) {
    const portion = rows.slice(from, from + PORTION);
    const under = insertPortion(tx, ledger, portion, mayBeThere);
    // Its failure is heard when it is awaited, in the next turn or after the last.
    under.catch(() => {});
    try {
      recorded += await before;
    } catch (error) {
      await under.catch(() => {});
      throw error;
    }
    before = under;
  }
  return recorded + (await before);
}

async function insertPortion(
  tx: TenantTx,
  ledger: OpenLedger,
  rows: readonly PreparedPrediction[],
  mayBeThere: boolean,
): Promise<number> {
  const given = encodePredictions(rows, ledger.places);
  const insert = sql`
    insert into ${predictions} (tenant_id, model_version_id, ${sentColumns})
    select ${tenantOf(tx)}, ${ledger.versionId}::uuid, ${typedColumns} from ${given} as given (${sentColumns})`;
  const marks = ledger.marksDays ? dayMarks(tx, ledger.versionId, rows) : undefined;
  if (!mayBeThere) {
    await tx.execute(marks === undefined ? insert : sql`with ${marks} ${insert}`);
    return rows.length;
  }
  const [outcome] = await tx.execute<{ recorded: number }>(sql`
    with ${marks === undefined ? sql`` : sql`${marks},`} recorded as (
      ${insert}
          on conflict (tenant_id, id) do nothing
      returning 1
    )
    select count(*)::int as recorded from recorded`);
  const recorded = outcome?.recorded ?? 0;
  if (recorded < rows.length) await refuseOtherContent(tx, ledger, rows, given);
  return recorded;
}

/** The part of a statement that marks the days of rows that come in the order of their ids, mostly one. */
function dayMarks(tx: TenantTx, versionId: string, rows: readonly PreparedPrediction[]): SQL {
  const dayOf = (row: PreparedPrediction | undefined) =>
    row === undefined ? '' : timeOfId(row.id).toISOString().slice(0, 10);
  const [first, last] = [dayOf(rows[0]), dayOf(rows.at(-1))];
  // Each row's day takes some microseconds to find.
  const days = first === last ? [first] : [...new Set(rows.map(dayOf))];
  return sql`marks as (
    insert into ${predictionDayMarks} (tenant_id, id, model_version_id, day)
    select ${tenantOf(tx)}, id, ${versionId}::uuid, day
      from unnest(${uuidArray(days.map(() => newId()))}, ${textArray(days)}::date[]) as given (id, day))`;
}

const typedColumns = sql.raw(
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
      from ${given} with ordinality as given (${sentColumns}, number)
      cross join lateral (select * from ${predictions} p where p.tenant_id = ${tenantOf(tx)} and p.id = given.id limit 1) p
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
