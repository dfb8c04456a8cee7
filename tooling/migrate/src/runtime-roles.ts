/** The roles that transactions run as; `db-core` makes them in 001. No login is one of them, logins are members. */
export const runtimeRoles = ['app_tenant', 'app_readonly', 'app_dispatcher'] as const;

/** `pg_has_role` with MEMBER says nothing about SET ROLE on PostgreSQL 16 and newer, where the two are apart. */
export function membershipPrivilege(serverVersion: number): 'SET' | 'MEMBER' {
  return serverVersion >= 160_000 ? 'SET' : 'MEMBER';
}
