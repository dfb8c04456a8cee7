import type { Catalog } from './catalog.ts';
import type { RoleRow } from './catalog-access.ts';
import {
  bypassingReach,
  isProviderLogin,
  isRuntimeRole,
  owners,
  providerRoles,
  reachableNames,
  reachOf,
  services,
} from './reach.ts';
import type { Finding, Rule } from './rule.ts';
import { ruleOver } from './select.ts';

/** Roles that read or write without a grant on the table, see or end what other sessions run, or reach outside of the database. */
const reaching: readonly string[] = [
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_monitor',
  'pg_read_all_stats',
  'pg_stat_scan_tables',
  'pg_signal_backend',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_execute_server_program',
  'pg_maintain',
  'pg_checkpoint',
  'pg_create_subscription',
  ...providerRoles,
];

/** Attributes that a service has no use for. The owner of another database has CREATEROLE and CREATEDB for that one. */
function excessOf(role: RoleRow): readonly string[] {
  return [
    ...(role.superuser ? ['superuser'] : []),
    ...(role.bypassRls ? ['bypassrls'] : []),
    ...(role.replication ? ['replication'] : []),
    ...(role.createRole && !role.ownsOtherDatabase ? ['createrole'] : []),
    ...(role.createDb && !role.ownsOtherDatabase ? ['createdb'] : []),
  ];
}

const isOwner = ({ server }: Catalog, name: string) => name === server.login;

function privilegedServices(catalog: Catalog): readonly Finding[] {
  return services(catalog).flatMap((role): readonly Finding[] => {
    const object = `role ${role.name}`;
    const excess = excessOf(role);
    const known = new Set([role.name, ...services(catalog).map(({ name }) => name)]);
    const reach = reachOf(catalog, role.name);
    const through = catalog.roles
      .filter(({ name }) => reach.has(name) && !known.has(name) && !isRuntimeRole(name) && !isOwner(catalog, name))
      .filter((other) => excessOf(other).length > 0)
      .map(({ name }) => name);
    const runtime = bypassingReach(catalog, role.name).filter(isRuntimeRole);
    const found = [...through, ...runtime];
    return [
      ...(excess.length === 0
        ? []
        : [
            {
              object,
              message: `is a member of the runtime roles and has ${excess.join(', ')}. An administrator runs: alter role ${role.name} ${excess.map((word) => `no${word}`).join(' ')};`,
            },
          ]),
      ...(found.length === 0
        ? []
        : [
            {
              object,
              message: `is a member of the runtime roles and may become ${found.join(', ')}, which may do more than a service needs. Revoke that membership.`,
            },
          ]),
    ];
  });
}

/** Logins beside the services that need no grant on a table: `app.tenant` is a setting that everybody may set. */
function reachingLogins(catalog: Catalog): readonly Finding[] {
  const known = new Set(services(catalog).map(({ name }) => name));
  const others = catalog.roles.filter(
    ({ name, login, superuser }) =>
      login && !superuser && !isOwner(catalog, name) && !isRuntimeRole(name) && !isProviderLogin(catalog, name),
  );
  return others.flatMap((role): readonly Finding[] => {
    const reach = reachOf(catalog, role.name);
    const object = `role ${role.name}`;
    // Backups read everything, and say so by BYPASSRLS.
    const data = ['pg_read_all_data', 'pg_write_all_data'].filter(
      (name) => reach.has(name) && !(name === 'pg_read_all_data' && role.bypassRls),
    );
    const makesRoles =
      catalog.server.version < 160_000 &&
      catalog.roles.some(
        (other) => other.createRole && (other === role || reach.has(other.name)) && !isOwner(catalog, other.name),
      );
    return [
      ...(data.length === 0 || known.has(role.name)
        ? []
        : [
            {
              object,
              message: `is a member of ${data.join(', ')} and needs only to set app.tenant to be any tenant. Run: revoke ${data.join(', ')} from ${role.name}; a login for backups has pg_read_all_data and BYPASSRLS.`,
            },
          ]),
      ...(!makesRoles || (known.has(role.name) && !role.ownsOtherDatabase)
        ? []
        : [
            {
              object,
              message: `has CREATEROLE, or may become a role that has it: before PostgreSQL 16 that is enough to grant itself ${catalog.server.login}. An administrator runs: alter role ${role.name} nocreaterole; (an owner of another database needs it for its first migration only).`,
            },
          ]),
    ];
  });
}

/** Settings by which a session would have a tenant, a role or no row security before it asked for any. */
const standing = /^(app\..*|role|row_security|session_replication_role|session_authorization)$/;

/** Settings by which its statements would find other objects, or run other code. Of no matter on roles that do not come here. */
const standingForOurs = /^(search_path|session_preload_libraries|local_preload_libraries|lo_compat_privileges)$/;

function scopeOf(role: string | null, everyDatabase: boolean): string {
  if (role === null) return everyDatabase ? 'role all' : 'database …';
  return everyDatabase ? `role ${role}` : `role ${role} in database …`;
}

export const serviceRules: readonly Rule[] = [
  {
    name: 'services-unprivileged',
    protects:
      'A service login that is a superuser or has BYPASSRLS reads all tenants; with CREATEROLE, CREATEDB or REPLICATION, or as a member of a role that has one, it is a short way from there.',
    check: ({ catalog }) => privilegedServices(catalog),
  },
  {
    name: 'services-reach-no-more',
    protects:
      'A service login that may become the owner, or reads without grants, is not held by the grants of the runtime roles.',
    check: ({ catalog }) => {
      const notForServices = new Set([...owners(catalog), catalog.server.login, ...reaching]);
      return services(catalog).flatMap(({ name }) => {
        const found = [...reachOf(catalog, name)].filter((role) => notForServices.has(role));
        return found.length === 0
          ? []
          : [
              {
                object: `role ${name}`,
                message: `is a member of ${found.join(', ')}. Run: revoke ${found.join(', ')} from ${name};`,
              },
            ];
      });
    },
  },
  ruleOver(
    'services-grant-nothing',
    'With ADMIN OPTION a service login makes others members of the roles that tenants are read by, or of the owner.',
    (catalog) => {
      const names = new Set(
        services(catalog)
          .filter(({ ownsOtherDatabase }) => !ownsOtherDatabase)
          .map(({ name }) => name),
      );
      return catalog.memberships.filter(
        ({ role, member, admin }) => admin && names.has(member) && (isRuntimeRole(role) || isOwner(catalog, role)),
      );
    },
    ({ role, member }) => ({
      object: `role ${member}`,
      message: `has ADMIN OPTION on ${role}. Run: revoke admin option for ${role} from ${member};`,
    }),
  ),
  ruleOver(
    'services-own-nothing',
    'A service login that owns a table may lift row level security from it.',
    (catalog) => {
      const names = new Set(services(catalog).map(({ name }) => name));
      return catalog.ownerships.filter(({ role }) => names.has(role));
    },
    ({ role, count, example }) => ({
      object: `role ${role}`,
      message: `is a member of the runtime roles and owns ${count === 1 ? example : `${count} objects, among them ${example}`}. Give them to the owner, or use another login.`,
    }),
  ),
  {
    name: 'logins-reach-no-more',
    protects:
      'A login that reads or writes every table, or may make itself the owner, needs no runtime role to be any tenant.',
    check: ({ catalog }) => reachingLogins(catalog),
  },
  ruleOver(
    'no-standing-context',
    'A tenant that a role or a database has by default is the tenant of every session that forgot to name one; by another search_path a session finds other tables and functions.',
    (catalog) => {
      const ours = new Set([catalog.server.login, ...reachableNames(catalog)]);
      return catalog.settings.filter(
        ({ role, setting }) =>
          standing.test(setting) || (standingForOurs.test(setting) && (role === null || ours.has(role))),
      );
    },
    ({ role, everyDatabase, setting }) => ({
      object: role === null ? 'database' : `role ${role}`,
      message: `sets ${setting} for every session. Run: alter ${scopeOf(role, everyDatabase)} reset ${setting};`,
    }),
  ),
  ruleOver(
    'no-parameter-grants',
    'session_replication_role switches foreign keys off; whoever was granted such a parameter writes past them.',
    (catalog) => {
      const names = reachableNames(catalog);
      return catalog.parameterGrants.filter(({ grantee }) => names.has(grantee));
    },
    ({ parameter, grantee, privilege }) => ({
      object: `parameter ${parameter}`,
      message: `is granted to ${grantee}. An administrator runs: revoke ${privilege} on parameter ${parameter} from ${grantee};`,
    }),
  ),
];
