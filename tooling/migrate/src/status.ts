import { openSession } from './connection.ts';
import { readHistory } from './history.ts';
import { type LockHolder, readLockHolder } from './lock.ts';
import { readMigrationsFolder } from './migrations-folder.ts';
import { type HistoryProblem, inspectHistory, type MigrationState } from './plan.ts';

export interface StatusEntry {
  readonly file: string;
  readonly state: MigrationState;
  readonly executedAt: Date | undefined;
  readonly durationMs: number | undefined;
  readonly statementsDone: number | undefined;
  readonly released: boolean;
}

export interface StatusReport {
  readonly database: string;
  readonly entries: readonly StatusEntry[];
  /** Why `migrate` would refuse; empty when it would not. */
  readonly problems: readonly HistoryProblem[];
  /** A run that is at work now. */
  readonly running: LockHolder | undefined;
  readonly warnings: readonly string[];
}

/** What is applied, pending, rolled back, unfinished or missing. Reads only, takes no lock. */
export async function readStatus(options: { readonly url: string; readonly directory: string }): Promise<StatusReport> {
  const folder = await readMigrationsFolder(options.directory);
  const session = await openSession(options.url, { allowPrivileged: true });
  try {
    const history = (await readHistory(session)) ?? [];
    const { statuses, problems } = inspectHistory(folder, history);
    const privileged = session.privileged
      ? [`${session.login} is a superuser or has BYPASSRLS; db:migrate and db:verify refuse it.`]
      : [];
    return {
      database: session.database,
      entries: statuses.map(({ file, state, row }) => ({
        file,
        state,
        executedAt: row?.executedAt,
        durationMs: row?.durationMs,
        statementsDone: row?.statementsDone,
        released: folder.released.has(file),
      })),
      problems,
      running: await readLockHolder(session),
      warnings: [...session.warnings, ...privileged],
    };
  } finally {
    await session.end();
  }
}
