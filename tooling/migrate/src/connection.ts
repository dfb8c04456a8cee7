import { hostname } from 'node:os';
import postgres, { type Sql } from 'postgres';
import { describeServer, isConnectionError, toUnreachable } from './connection-error.ts';
import { exitCodes, MigrateError } from './errors.ts';
import { quoteIdentifier } from './quote.ts';

/** The one database session of a run. */
export interface RunnerSession {
  /** For reading only: a statement sent here after the backend died would run on another session, without the lock. */
  readonly sql: Sql;
  readonly login: string;
  readonly database: string;
  /** As `server_version_num`: 180004. */
  readonly serverVersion: number;
  readonly backendPid: number;
  readonly privileged: boolean;
  readonly mayCreate: boolean;
  readonly warnings: readonly string[];
  /** Runs one or more statements without parameters, by the simple protocol. */
  run(text: string): Promise<SessionRows>;
  /** Runs one statement; without `parameters` it is one of the simple protocol. */
  query(text: string, parameters: readonly (string | number | null)[]): Promise<SessionRows>;
  end(): Promise<void>;
}

export type SessionRow = Readonly<Record<string, unknown>>;
type SessionRows = readonly SessionRow[];

export interface SessionOptions {
  /** What pg_stat_activity shows before the host and the process id. */
  readonly applicationName?: string;
  /** Commands that only look may run as a superuser; those that write or prove something may not. */
  readonly allowPrivileged?: boolean;
  readonly onWarning?: (message: string) => void;
}

const oldestServer = 150_000;

/**
 * Opens the session: one connection that is never replaced, row_security off, search_path pinned.
 * Refuses a server below 15, and a login that is superuser or BYPASSRLS (`privileged_login`): such a login reads every
 * tenant, and what it makes belongs to it. Warns when a pooler stands in between.
 */
export async function openSession(url: string, options: SessionOptions = {}): Promise<RunnerSession> {
  assertUrl(url);
  const state = { dead: false };
  let opened = false;
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    options.onWarning?.(message);
  };
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    // postgres.js replaces a connection after 30 to 60 minutes unless told not to; the lock would go with it.
    max_lifetime: null,
    connect_timeout: 10,
    fetch_types: false,
    prepare: false,
    connection: {
      application_name: `${options.applicationName ?? 'mcp-hub-migrate'} ${hostname()}:${process.pid}`.slice(0, 63),
    },
    onnotice: (notice) => {
      if (notice['severity'] === 'WARNING') warn(notice['message'] ?? 'the server warns');
    },
    onclose: () => {
      state.dead = true;
    },
  });

  const send = async (text: string, parameters?: readonly (string | number | null)[]): Promise<SessionRows> => {
    // postgres.js opens another connection for the next statement: outside of the transaction, and without the lock.
    if (state.dead) throw lostSession(url);
    try {
      return parameters === undefined || parameters.length === 0
        ? await sql.unsafe<SessionRow[]>(text)
        : await sql.unsafe<SessionRow[]>(text, [...parameters]);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      state.dead = true;
      throw opened ? lostSession(url) : error;
    }
  };
  const end = async (): Promise<void> => {
    // A connection that is gone does not answer; postgres.js would wait for the whole time.
    await sql.end({ timeout: state.dead ? 0 : 1 }).catch(() => undefined);
  };

  try {
    await send(sessionSettings);
    const probe = sql.unsafe<SessionRow[]>(probeQuery);
    const row = (await probe)[0] ?? {};
    const session: RunnerSession = {
      sql,
      login: String(row['login']),
      database: String(row['database']),
      serverVersion: Number(row['version']),
      backendPid: Number(row['pid']),
      privileged: row['privileged'] === true,
      mayCreate: row['may_create'] === true,
      warnings,
      run: (text) => send(text),
      query: (text, parameters) => send(text, parameters),
      end,
    };
    refuseServer(session, options, url);
    // A pooler answers the start-up itself, with a process id of its own making.
    if (backendPidOf(probe) !== undefined && backendPidOf(probe) !== session.backendPid) {
      warn(
        'A connection pooler stands between this program and the server. Its transaction mode loses the advisory lock: use the direct URL of the server for migrations.',
      );
    }
    opened = true;
    return session;
  } catch (error) {
    await end();
    throw toUnreachable(error, url) ?? error;
  }
}

// A role or a database may have set any of these. client_connection_check_interval ends the statement of a runner that was
// killed; not every platform has it.
const sessionSettings = `
set row_security = off;
set search_path = public, pg_temp;
set statement_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set client_min_messages = warning;
set default_transaction_isolation = 'read committed';
set default_transaction_read_only = off;
do $$ begin
  perform pg_catalog.set_config('client_connection_check_interval', '1s', false);
exception when others then null;
end $$`;

const probeQuery = `
select current_user::text                                as login,
       current_database()::text                          as database,
       current_setting('server_version_num')::int        as version,
       pg_backend_pid()                                  as pid,
       (select bool_or(rolsuper or rolbypassrls)
          from pg_catalog.pg_roles
         where rolname in (current_user, session_user))  as privileged,
       has_schema_privilege('public', 'create')          as may_create`;

function refuseServer(session: RunnerSession, options: SessionOptions, url: string): void {
  if (session.serverVersion < oldestServer) {
    throw new MigrateError(
      'server_too_old',
      `PostgreSQL 15 or newer is needed; ${describeServer(url)} is ${Math.floor(session.serverVersion / 10_000)}.`,
    );
  }
  if (session.privileged && options.allowPrivileged !== true) {
    throw new MigrateError(
      'privileged_login',
      `${session.login} is a superuser or has BYPASSRLS: row level security does not hold for it, so it would read and own the rows of every tenant. ` +
        `Use an owner without these rights. A superuser makes one by: ` +
        `create role mcp_hub login createdb createrole password '…'; alter database "${session.database}" owner to mcp_hub;`,
    );
  }
}

/** For the commands that make objects. */
export function assertMayCreate(session: RunnerSession): void {
  if (session.mayCreate) return;
  throw new MigrateError(
    'may_not_create',
    `${session.login} may not create tables in ${session.database}. POSTGRES_URL is the owner's URL; for another login an administrator runs: ` +
      `grant create on schema public to ${quoteIdentifier(session.login)};`,
  );
}

/** The process id that the server, or a pooler, named when the connection was made. */
function backendPidOf(query: unknown): number | undefined {
  const state = typeof query === 'object' && query !== null && 'state' in query ? query.state : undefined;
  const pid = typeof state === 'object' && state !== null && 'pid' in state ? state.pid : undefined;
  return typeof pid === 'number' ? pid : undefined;
}

function lostSession(url: string): MigrateError {
  return new MigrateError(
    'unreachable',
    `The connection to ${describeServer(url)} was lost. What had not been committed is rolled back; run the command again.`,
    exitCodes.unreachable,
  );
}

function assertUrl(url: string): void {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new MigrateError(
      'invalid_url',
      'The database URL must have the form postgresql://user:password@host:port/database.',
      exitCodes.usage,
    );
  }
}
