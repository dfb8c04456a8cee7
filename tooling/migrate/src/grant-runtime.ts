import { openSession, type RunnerSession } from './connection.ts';
import { errorCodeOf } from './connection-error.ts';
import { MigrateError } from './errors.ts';
import { quoteIdentifier } from './quote.ts';
import { membershipPrivilege, runtimeRoles } from './runtime-roles.ts';

export interface GrantRuntimeOptions {
  /** The owner's URL. */
  readonly url: string;
  /** The login that services use; it exists already. */
  readonly login: string;
}

export interface GrantRuntimeReport {
  readonly login: string;
  /** Roles that the login has since this call, and those that it had. */
  readonly granted: readonly string[];
  readonly alreadyMember: readonly string[];
}

/**
 * Makes a service login a member of the roles that transactions run as. Roles belong to the cluster: one call serves all its databases.
 * Refuses a login that does not exist, that is superuser or BYPASSRLS, or that owns tables here (`login_unfit`), and says
 * which statements an administrator has to run when this owner may not grant (`roles_missing`).
 */
export async function grantRuntime(options: GrantRuntimeOptions): Promise<GrantRuntimeReport> {
  const session = await openSession(options.url);
  try {
    await refuseLogin(session, options.login);
    const privilege = membershipPrivilege(session.serverVersion);
    const granted: string[] = [];
    const alreadyMember: string[] = [];
    const refused: string[] = [];
    for (const role of runtimeRoles) {
      const [row] = await session.query(
        `select exists (select from pg_catalog.pg_roles where rolname = $1) as found,
                exists (select from pg_catalog.pg_roles where rolname = $1 and pg_has_role($2::text, oid, '${privilege}')) as member`,
        [role, options.login],
      );
      if (row?.['found'] !== true) {
        throw new MigrateError(
          'roles_missing',
          `Role ${role} does not exist yet. Run db:migrate first: the first migration makes it.`,
        );
      }
      if (row['member'] === true) alreadyMember.push(role);
      else if (await grant(session, role, options.login)) granted.push(role);
      else refused.push(`grant ${role} to ${quoteIdentifier(options.login)};`);
    }
    if (refused.length > 0) {
      throw new MigrateError(
        'roles_missing',
        `${session.login} may not grant these roles. An administrator runs once:\n${refused.map((line) => `  ${line}`).join('\n')}`,
      );
    }
    return { login: options.login, granted, alreadyMember };
  } finally {
    await session.end();
  }
}

/** False when the owner may not. Two calls at once collide on the catalog's unique index or row; the loser tries again. */
async function grant(session: RunnerSession, role: string, login: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await session.run(`grant ${quoteIdentifier(role)} to ${quoteIdentifier(login)}`);
      return true;
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === '42501' || code === '0LP01') return false;
      if (attempt >= 20 || (code !== '23505' && code !== 'XX000')) throw error;
    }
  }
}

async function refuseLogin(session: RunnerSession, login: string): Promise<void> {
  const [row] = await session.query(
    `select r.rolsuper or r.rolbypassrls as privileged,
            r.rolcanlogin                as may_login,
            exists (select from pg_catalog.pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p')) as owns_tables
       from pg_catalog.pg_roles r
      where r.rolname = $1`,
    [login],
  );
  const unfit = (why: string): MigrateError =>
    new MigrateError('login_unfit', `${login} cannot be a service login: ${why}`);
  if (row === undefined) {
    throw unfit(
      `it does not exist. An administrator makes it: create role ${quoteIdentifier(login)} login password '…';`,
    );
  }
  if (row['privileged'] === true)
    throw unfit('it is a superuser or has BYPASSRLS, so row level security does not hold for it.');
  if (row['owns_tables'] === true)
    throw unfit('it owns tables here. The owner runs migrations; services log in as another role.');
  if (row['may_login'] !== true) throw unfit('it may not log in.');
}
