import { type ApplyOptions, begin, rollback, withLockRetry } from '../apply-migration.ts';
import { openSession, type RunnerSession } from '../connection.ts';
import { errorCodeOf } from '../connection-error.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import { type LockOptions, withMigrationLock } from '../lock.ts';
import { makeMonthFromDefault, readMonthsOfDefault } from './drain-default.ts';
import { dropPartitions } from './drop-partitions.ts';
import { idFloor, type Month, monthOf, partitionName } from './month.ts';
import { createMonth } from './partition-statements.ts';
import { type PartitionedTable, readPartitionedTables } from './read-partitions.ts';

export interface MaintainPartitionsOptions extends Pick<ApplyOptions, 'lockTimeoutMs' | 'attempts' | 'onRetry'> {
  /** The owner's URL. */
  readonly url: string;
  /** Months after this one that have a partition, 0 to 120. Default 3. */
  readonly monthsAhead?: number;
  /**
   * Drops the months that ended so many days ago, 0 to 100,000, by table. The rule of a deployment, for all tenants.
   * Default: none.
   */
  readonly dropAfterDays?: Readonly<Record<string, number>>;
  /** Default: the clock of this machine. */
  readonly now?: Date;
  readonly lock?: LockOptions;
}

export interface PartitionReport {
  readonly made: readonly string[];
  readonly dropped: readonly string[];
  /** Rows that were taken out of default partitions into partitions of their own. */
  readonly movedRows: number;
  /** Rows of default partitions that retention had passed. */
  readonly deletedRows: number;
  /** Tables where a lock was not to be had, with the reason. What was done before stays; run it again. */
  readonly busy: readonly { readonly table: string; readonly reason: string }[];
}

/**
 * Keeps the tables that are partitioned by time: a partition for each month ahead, the default partition empty, and
 * what retention has passed dropped. To be run daily, by any number of schedulers at once: they go one after the other, and
 * find nothing left to do.
 *
 * Each partition is a transaction of its own, which waits 3 s for its locks and is tried again after a pause, so that
 * requests do not stand in a queue behind it. A table that stays busy does not keep the others from being served.
 *
 * @throws MigrateError `usage` for a number outside its range; as the runner does: for the URL, the login, a lock that
 *   another run holds for 10 minutes; `not_owner`; `no_such_table` where retention names a table that is not partitioned.
 */
export async function maintainPartitions(options: MaintainPartitionsOptions): Promise<PartitionReport> {
  // A negative number of days would drop what is recorded now.
  assertWhole('monthsAhead', options.monthsAhead ?? 0, 120);
  for (const [table, days] of Object.entries(options.dropAfterDays ?? {})) {
    assertWhole(`dropAfterDays.${table}`, days, 100_000);
  }
  const session = await openSession(options.url, { applicationName: 'mcp-hub-maintain' });
  try {
    return await withMigrationLock(session, options.lock ?? {}, () => maintainAll(session, options));
  } finally {
    await session.end();
  }
}

function assertWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new MigrateError('usage', `${name} must be a whole number from 0 to ${max}.`, exitCodes.usage);
}

interface Sum {
  readonly made: string[];
  readonly dropped: string[];
  movedRows: number;
  deletedRows: number;
  readonly busy: { readonly table: string; readonly reason: string }[];
}

async function maintainAll(session: RunnerSession, options: MaintainPartitionsOptions): Promise<PartitionReport> {
  const tables = await readPartitionedTables(session);
  const foreign = tables.find(({ isOwned }) => !isOwned);
  if (foreign !== undefined) {
    throw new MigrateError(
      'not_owner',
      `${session.login} does not own ${foreign.name} in ${session.database}, so it may not make its partitions. Take POSTGRES_URL, the owner's URL.`,
    );
  }
  for (const name of Object.keys(options.dropAfterDays ?? {})) {
    if (!tables.some((table) => table.name === name)) {
      const known = tables.map((table) => table.name).join(', ');
      throw new MigrateError(
        'no_such_table',
        `There is no partitioned table ${name}. ${known === '' ? 'None is there: run db:migrate first.' : `There are: ${known}.`}`,
      );
    }
  }
  const sum: Sum = { made: [], dropped: [], movedRows: 0, deletedRows: 0, busy: [] };
  for (const { name } of tables) {
    try {
      await maintainTable(session, name, options, sum);
    } catch (error) {
      if (!(error instanceof MigrateError) || error.code !== 'lock_not_available') throw error;
      sum.busy.push({ table: name, reason: error.message });
    }
  }
  return sum;
}

async function maintainTable(
  session: RunnerSession,
  name: string,
  options: MaintainPartitionsOptions,
  sum: Sum,
): Promise<void> {
  const now = options.now ?? new Date();
  const attempt = <Result>(work: (table: PartitionedTable) => Promise<Result>, end: 'commit' | 'rollback' = 'commit') =>
    inTransaction(session, name, options, work, end);
  const days = options.dropAfterDays?.[name];
  // First, so that rows that are too old are not moved before they go.
  const cutoff = days === undefined ? undefined : monthOf(new Date(now.getTime() - days * 86_400_000)).from;
  // No id is older than 1970.
  if (cutoff !== undefined && cutoff.getTime() > 0) {
    const done = await attempt((table) => dropPartitions(session, table, idFloor(cutoff)));
    sum.dropped.push(...(done?.dropped ?? []));
    sum.deletedRows += done?.deletedRows ?? 0;
  }
  const ahead = Array.from({ length: (options.monthsAhead ?? 3) + 1 }, (_, after) => monthOf(now, after));
  const filled = await attempt(
    async (table) => (table.defaultHasPages ? await readMonthsOfDefault(session, table) : []),
    'rollback',
  );
  const isFilled = (month: Month) => filled.some(({ from }) => from.getTime() === month.from.getTime());
  for (const month of [...filled, ...ahead.filter((one) => !isFilled(one))]) {
    const make = (rowsAreThere: boolean) =>
      attempt(async (table) => {
        if (isCovered(table, month)) return undefined;
        if (rowsAreThere || table.defaultHasPages) return await makeMonthFromDefault(session, table, month);
        for (const statement of createMonth(table.name, month)) await session.run(statement);
        return 0;
      });
    const made = await make(isFilled(month)).catch((error: unknown) => {
      // The first row of the month came between the look and the lock.
      if (errorCodeOf(error) === CHECK_VIOLATION) return make(true);
      throw error;
    });
    if (made === undefined) continue;
    sum.made.push(partitionName(name, month));
    sum.movedRows += made;
  }
}

const CHECK_VIOLATION = '23514';

/** Reads the table's partitions anew in each attempt, and works on what is there then. */
async function inTransaction<Result>(
  session: RunnerSession,
  name: string,
  options: MaintainPartitionsOptions,
  work: (table: PartitionedTable) => Promise<Result>,
  end: 'commit' | 'rollback',
): Promise<Result> {
  return await withLockRetry(session, name, options, async () => {
    await begin(session, options);
    try {
      const table = (await readPartitionedTables(session)).find((found) => found.name === name);
      if (table === undefined) throw new MigrateError('no_such_table', `The table ${name} was dropped meanwhile.`);
      const result = await work(table);
      await session.run(end);
      return result;
    } catch (error) {
      await rollback(session);
      throw error;
    }
  });
}

/** Whether a partition overlaps the month; one that someone made with other bounds counts. */
function isCovered({ partitions }: PartitionedTable, month: Month): boolean {
  const [low, high] = [idFloor(month.from), idFloor(month.to)];
  return partitions.some(({ from, to }) => from < high && (to === undefined || to > low));
}
