import {
  DomainError,
  isDomainError,
  newId,
  parseInput,
  type TenantTx,
  tenantOf,
  timeOfId,
  uuidArray,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { numberLiteral, textLiteral } from '../array-literal.ts';
import { badItem, parseItem, requireTime } from '../bad-item.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { isPlainOutcome, OutcomeInput } from './outcome-input.ts';
import { abOutcomes } from './schema.ts';

const manyOutcomes = z.custom<readonly OutcomeInput[]>((given) => Array.isArray(given), 'must be an array');

export const RecordOutcomesInput = z.strictObject({ outcomes: manyOutcomes });
export type RecordOutcomesInput = Readonly<z.input<typeof RecordOutcomesInput>>;

export interface RecordedOutcomes {
  readonly recorded: number;
  /** Outcomes whose id was recorded before, in this call or another. */
  readonly repeated: number;
}

interface PreparedOutcome {
  readonly index: number;
  /** Lower case; null: made by the database, with the time of the transaction. */
  readonly id: string | null;
  readonly given: OutcomeInput;
}

/**
 * Records what units did, all or none, at most `outcomesAtOnce`, whichever experiments they are in and before or after they
 * were exposed. One round trip up to 499, then four. It waits for no other transaction but those that send the same ids.
 *
 * @throws DomainError naming the outcome's index: `invalid_input` for a value outside the limits, a time outside of 2000 to
 *   2099 or more than an hour ahead, an id of another time than `at`; `conflict` for an id that was recorded with other content.
 */
export async function recordOutcomes(tx: TenantTx, input: RecordOutcomesInput): Promise<RecordedOutcomes> {
  const { outcomes } = parseInput(RecordOutcomesInput, input);
  const limit = EXPERIMENT_LIMITS.outcomesAtOnce;
  if (outcomes.length > limit) {
    throw new DomainError('invalid_input', `outcomes must have at most ${limit} items, not ${outcomes.length}.`, {
      details: { field: 'outcomes', limit, got: outcomes.length },
    });
  }
  if (outcomes.length === 0) return { recorded: 0, repeated: 0 };
  const rows = outcomes.map((given, index) =>
    prepare(isPlainOutcome(given) ? given : parseItem('outcomes', OutcomeInput, given, index), index),
  );
  let latest = 0;
  for (const { id } of rows) if (id !== null) latest = Math.max(latest, timeOfId(id).getTime());
  const { recorded, nowMs } = await insertOnce(tx, inOrder(rows), latest);
  if (nowMs + EXPERIMENT_LIMITS.aheadMs < latest) {
    const ahead = rows.find(({ id }) => id !== null && timeOfId(id).getTime() === latest);
    throw badItem(
      'outcomes',
      ahead?.index ?? 0,
      'at',
      `must be at most ${EXPERIMENT_LIMITS.aheadMs} ms ahead of the clock`,
    );
  }
  if (recorded < rows.length) await refuseOtherContent(tx, rows);
  return { recorded, repeated: rows.length - recorded };
}

function prepare(given: OutcomeInput, index: number): PreparedOutcome {
  const time = given.id === undefined ? given.at : timeOfId(given.id);
  if (time === undefined) return { index, id: null, given };
  if (given.at !== undefined && given.at.getTime() !== time.getTime()) {
    throw badItem(
      'outcomes',
      index,
      'id',
      'must carry the time that at says, to the millisecond: make it by newId(at)',
    );
  }
  requireTime('outcomes', index, given.id === undefined ? 'at' : 'id', time.getTime());
  return { index, id: given.id?.toLowerCase() ?? newId(time), given };
}

/** Of ids, so that two calls with the same ids do not wait for each other in a circle. */
function inOrder(rows: readonly PreparedOutcome[]): readonly PreparedOutcome[] {
  const isAfter = ({ id }: PreparedOutcome, at: number) => at === 0 || (id ?? '~') >= (rows[at - 1]?.id ?? '~');
  return rows.every(isAfter)
    ? rows
    : rows.toSorted(({ id: one }, { id: other }) => ((one ?? '~') < (other ?? '~') ? -1 : one === other ? 0 : 1));
}

const givenRows = (rows: readonly PreparedOutcome[]): SQL => sql`
  unnest(${textLiteral(rows, ({ id }) => id)}::text::uuid[],
         ${textLiteral(rows, ({ given }) => given.outcome)}::text::text[],
         ${textLiteral(rows, ({ given }) => given.unit)}::text::text[],
         ${numberLiteral(rows, ({ given }) => given.value ?? 1)}::text::float8[])`;

/**
 * From how many rows on it is tried first without ON CONFLICT, which looks for each row before it inserts it: 219 ms instead
 * of 118 for 10,000 rows with the table's three indexes; the savepoint and the probe are three round trips.
 */
const WORTH_A_SAVEPOINT = 500;

interface Inserted {
  readonly recorded: number;
  readonly nowMs: number;
}

/** Inserts those of rows in the order of their ids that are not there. */
async function insertOnce(tx: TenantTx, rows: readonly PreparedOutcome[], latest: number): Promise<Inserted> {
  if (rows.length >= WORTH_A_SAVEPOINT && (await seemNew(tx, rows))) {
    try {
      return await tx.transaction((inner) => insert(inner, rows, latest, false));
    } catch (error) {
      // Another call has sent some of the same ids.
      if (!isDomainError(error, 'already_exists')) throw error;
    }
  }
  return await insert(tx, rows, latest, true);
}

/** Whether ids are unequal and some of them are not there: a batch that is sent again is told by its ends. */
async function seemNew(tx: TenantTx, rows: readonly PreparedOutcome[]): Promise<boolean> {
  const ids = rows.flatMap(({ id }) => id ?? []);
  if (ids.some((id, number) => number > 0 && id === ids[number - 1])) return false;
  const probed = [0, ids.length >> 1, ids.length - 1].map((number) => ids[number] ?? null);
  const there = await tx.execute(sql`
    select from ${abOutcomes} where tenant_id = ${tenantOf(tx)} and id = any (${uuidArray(probed)})`);
  return there.length === 0;
}

async function insert(
  tx: TenantTx,
  rows: readonly PreparedOutcome[],
  latest: number,
  mayBeThere: boolean,
): Promise<Inserted> {
  const [outcome] = await tx.execute<{ recorded: number; now_ms: number }>(sql`
    with recorded as (
      insert into ${abOutcomes} (tenant_id, id, outcome, unit, value)
      select ${tenantOf(tx)}, coalesce(g.id, app_uuid_v7(app_now())), g.outcome, g.unit, g.value
        from ${givenRows(rows)} as g (id, outcome, unit, value)
       where ${latest}::float8 <= extract(epoch from app_now()) * 1000 + ${EXPERIMENT_LIMITS.aheadMs}::float8
          ${mayBeThere ? sql`on conflict (tenant_id, id) do nothing` : sql``}
      returning 1
    )
    select (select count(*) from recorded)::int as recorded, (extract(epoch from app_now()) * 1000)::float8 as now_ms`);
  return { recorded: outcome?.recorded ?? 0, nowMs: outcome?.now_ms ?? Number.NaN };
}

/** A repeated id that means something else is a defect of the caller's, which would lose an outcome in silence. */
async function refuseOtherContent(tx: TenantTx, rows: readonly PreparedOutcome[]): Promise<void> {
  const [other] = await tx.execute<{ number: number }>(sql`
    select g.number::int as number
      from ${givenRows(rows)} with ordinality as g (id, outcome, unit, value, number)
     cross join lateral (select * from ${abOutcomes} o where o.tenant_id = ${tenantOf(tx)} and o.id = g.id limit 1) o
     where (o.outcome, o.unit, o.value) is distinct from (g.outcome, g.unit, g.value)
     order by number
     limit 1`);
  if (other === undefined) return;
  const index = rows[other.number - 1]?.index ?? 0;
  throw otherContent(`outcomes[${index}].id`, { index });
}

export const otherContent = (field: string, details: Readonly<Record<string, number>>) =>
  new DomainError('conflict', `${field} was recorded before, with other content. Each outcome has an id of its own.`, {
    details: { field, ...details },
  });
