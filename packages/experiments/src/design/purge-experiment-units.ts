import { type Database, parseInput, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { abAssignments } from '../assignment/schema.ts';
import { abExposures, abExposureTransitions } from '../exposures/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { requireStatus } from '../lifecycle/lock-experiment.ts';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { experimentNotFound } from '../not-found.ts';
import { abUnitDays, abUnitRefreshes, abUnitSums, abUnits } from '../units/schema.ts';
import { type ExperimentSubject, experimentSubject, namesOneExperiment, ONE_EXPERIMENT } from './experiment-inputs.ts';
import { isExperiment } from './get-experiment.ts';
import { abExperiments } from './schema.ts';

/** One row or more a unit, with a primary key that begins by tenant, experiment and unit; what is counted from them comes last. */
const unitTables = [abAssignments, abExposures, abExposureTransitions, abUnits] as const;
/** What units were counted into: a few rows an experiment. */
const countTables = [abUnitDays, abUnitSums, abUnitRefreshes] as const;

/** Whether an experiment has rows of units. One statement. */
export async function keepsUnits(tx: TenantTx, subject: ExperimentSubject): Promise<boolean> {
  const id = sql`(select id from ${abExperiments} where ${isExperiment(tx, subject)})`;
  const found = unitTables.map(
    (table) => sql`exists (select from ${table} where tenant_id = ${tenantOf(tx)} and experiment_id = ${id})`,
  );
  const [row] = await tx.execute<{ any: boolean }>(sql`select ${sql.join(found, sql` or `)} as "any"`);
  return row?.any ?? false;
}

/** Deletes whatever rows of units and their counts the experiment has, in one transaction: for few. */
export async function deleteUnits(tx: TenantTx, experimentId: string): Promise<void> {
  await deleteFrom(tx, experimentId, [...unitTables, ...countTables]);
}

async function deleteFrom(
  tx: TenantTx,
  experimentId: string,
  tables: readonly (typeof unitTables | typeof countTables)[number][],
): Promise<void> {
  const parts = tables.map(
    (table, place) => sql`${sql.identifier(`gone_${place}`)} as (
      delete from ${table} where tenant_id = ${tenantOf(tx)} and experiment_id = ${experimentId}::uuid)`,
  );
  await tx.execute(sql`with ${sql.join(parts, sql`, `)} select`);
}

export const PurgeExperimentUnitsInput = z
  .strictObject({
    ...experimentSubject,
    /** Rows that one transaction deletes, to the last row of a unit. Default 10,000. */
    batchSize: z.int().min(1).max(EXPERIMENT_LIMITS.purgeBatch).optional(),
    /** Ends after the transaction that runs. */
    signal: z.instanceof(AbortSignal).optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type PurgeExperimentUnitsInput = Readonly<z.input<typeof PurgeExperimentUnitsInput>>;

/**
 * Deletes the rows of units that an archived experiment has: whom it assigned, who was exposed, and
 * what was counted of them. Its design, history and analyses stay, until
 * deleteExperiment. Many small transactions; a call that ends in the middle leaves the rest to the next, and several at
 * once share the work. Takes no lock but the rows, and waits for a refresh that runs. Gives the number of rows that went.
 *
 * @throws DomainError `not_found`; `failed_precondition` for an experiment that is not archived.
 */
export async function purgeExperimentUnits(
  db: Database,
  tenant: string,
  input: PurgeExperimentUnitsInput,
): Promise<number> {
  const { batchSize = 10_000, signal, ...subject } = parseInput(PurgeExperimentUnitsInput, input);
  let rows = 0;
  for (const table of unitTables) {
    let last = '';
    while (signal?.aborted !== true) {
      const after = last;
      const batch = await withTenant(db, tenant, (tx) => purgeBatch(tx, subject, sql`${table}`, after, batchSize));
      rows += batch.rows;
      if (batch.last === null) break;
      last = batch.last;
    }
  }
  if (signal?.aborted !== true) {
    await withTenant(db, tenant, async (tx) => {
      const { id } = await archivedExperiment(tx, subject);
      await deleteFrom(tx, id, countTables);
    });
  }
  return rows;
}

interface Batch extends Record<string, unknown> {
  readonly rows: number;
  /** Null where none was left. */
  readonly last: string | null;
}

/** By ranges of the key: what was deleted before is not walked over again. */
async function purgeBatch(
  tx: TenantTx,
  subject: ExperimentSubject,
  table: SQL,
  after: string,
  batchSize: number,
): Promise<Batch> {
  const tenant = tenantOf(tx);
  const experiment = await archivedExperiment(tx, subject);
  const inRange = sql`tenant_id = ${tenant} and experiment_id = ${experiment.id}::uuid and unit > ${after}`;
  const [, [batch = { rows: 0, last: null }]] = await inOneFlight(
    // First, as a refresh locks it first: rows that go are seen by none, so that the next one makes all anew of what is left.
    () =>
      tx.execute(sql`
        update ${abUnitRefreshes} set definition = null
         where tenant_id = ${tenant} and experiment_id = ${experiment.id}::uuid`),
    () =>
      tx.execute<Batch>(sql`
        with page as (
          select max(unit) as last from (select unit from ${table} where ${inRange} order by unit limit ${batchSize}::int) as u
        ), gone as (
          delete from ${table} where ${inRange} and unit <= (select last from page) returning 1
        )
        select (select count(*)::int from gone) as rows, (select last from page) as last`),
  );
  return batch;
}

async function archivedExperiment(tx: TenantTx, subject: ExperimentSubject) {
  const [experiment] = await tx
    .select({ id: abExperiments.id, status: abExperiments.status })
    .from(abExperiments)
    .where(isExperiment(tx, subject));
  if (experiment === undefined) throw experimentNotFound();
  requireStatus(experiment.status, ['archived'], 'lose its units');
  return experiment;
}
