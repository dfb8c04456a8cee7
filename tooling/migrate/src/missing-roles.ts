import type { RunnerSession } from './connection.ts';
import { MigrateError } from './errors.ts';
import { quoteIdentifier } from './quote.ts';
import { membershipPrivilege, runtimeRoles } from './runtime-roles.ts';

/** What an administrator has to run so that this login has the roles; empty when nothing is missing. */
export async function findMissingRoles(session: RunnerSession): Promise<readonly string[]> {
  const privilege = membershipPrivilege(session.serverVersion);
  const names = runtimeRoles.map((role) => `('${role}')`).join(', ');
  const rows = await session.run(`
    select wanted.name,
           r.oid is not null                                                          as found,
           coalesce(pg_has_role(current_user, r.oid, '${privilege}'), false)          as member
      from (values ${names}) as wanted (name)
      left join pg_catalog.pg_roles r on r.rolname = wanted.name`);
  return rows.flatMap((row) => {
    const role = String(row['name']);
    const statements: string[] = [];
    if (row['found'] !== true) statements.push(`create role ${role} nologin nobypassrls;`);
    if (row['member'] !== true) statements.push(`grant ${role} to ${quoteIdentifier(session.login)};`);
    return statements;
  });
}

/**
 * A restored database has the grants and the policies, and from PostgreSQL 16 on an owner that may not become the roles:
 * without this, everything looks well until the first tenant is entered.
 */
export async function assertMayBecomeRoles(session: RunnerSession): Promise<void> {
  const [row] = await session.run(
    `select to_regprocedure('public.app_set_tenant(text,text,timestamptz)') is not null as made`,
  );
  if (row?.['made'] !== true) return;
  const statements = await findMissingRoles(session);
  if (statements.length === 0) return;
  throw new MigrateError(
    'roles_missing',
    `${session.login} may not become the roles that the packages run as: the database was restored, perhaps, and its roles made anew. ` +
      `Whoever made the roles, or an administrator, runs once:\n${statements.map((statement) => `  ${statement}`).join('\n')}\nAfterwards run the migrations again.`,
  );
}

export function missingRolesError(session: RunnerSession, statements: readonly string[]): MigrateError {
  return new MigrateError(
    'roles_missing',
    `${session.login} may not make the roles that the packages run as. An administrator runs once, in this order:\n` +
      `${statements.map((statement) => `  ${statement}`).join('\n')}\nAfterwards run the migrations again.`,
  );
}
