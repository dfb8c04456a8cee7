import { runtimeRoles } from '../runtime-roles.ts';
import type { Catalog, RoleRow } from './catalog.ts';
import type { Finding, Rule } from './rule.ts';
import { ruleOver } from './select.ts';

/** Predefined roles that read or write without a grant on the table, or outside of the database. */
const reaching: readonly string[] = [
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_execute_server_program',
  'pg_maintain',
];

/** All roles that `name` is a member of, directly or through others. Whether it inherits them is no matter: it may SET ROLE. */
function reachOf({ memberships }: Catalog, name: string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { role, member } of memberships) {
      if (member !== next || found.has(role)) continue;
      found.add(role);
      open.push(role);
    }
  }
  return found;
}

const isRuntimeRole = (name: string) => (runtimeRoles as readonly string[]).includes(name);

/** The members of the runtime roles, but the owner: service logins, and groups that stand between. */
function services(catalog: Catalog): readonly RoleRow[] {
  return catalog.roles.filter(
    ({ name }) =>
      name !== catalog.server.login && !isRuntimeRole(name) && [...reachOf(catalog, name)].some(isRuntimeRole),
  );
}

function owners(catalog: Catalog): ReadonlySet<string> {
  return new Set([
    ...catalog.relations.map(({ owner }) => owner),
    ...catalog.functions.filter(({ schema }) => schema === 'public').map(({ owner }) => owner),
  ]);
}

function excessOf(role: RoleRow): readonly string[] {
  return [
    ...(role.login ? ['login'] : []),
    ...(role.superuser ? ['superuser'] : []),
    ...(role.bypassRls ? ['bypassrls'] : []),
    ...(role.createRole ? ['createrole'] : []),
    ...(role.createDb ? ['createdb'] : []),
    ...(role.replication ? ['replication'] : []),
  ];
}

const bypasses = ({ superuser, bypassRls }: RoleRow) => superuser || bypassRls;

function bypassingReach(catalog: Catalog, name: string): readonly string[] {
  const reach = reachOf(catalog, name);
  return catalog.roles.filter((role) => reach.has(role.name) && bypasses(role)).map((role) => role.name);
}

function runtimeRoleFindings(catalog: Catalog): readonly Finding[] {
  return runtimeRoles.flatMap((name): readonly Finding[] => {
    const role = catalog.roles.find((candidate) => candidate.name === name);
    if (role === undefined) {
      return [
        { object: `role ${name}`, message: 'does not exist. Run db:migrate, or have an administrator create it.' },
      ];
    }
    const excess = excessOf(role);
    if (excess.length === 0) return [];
    return [
      {
        object: `role ${name}`,
        message: `has ${excess.join(', ')}. An administrator runs: alter role ${name} ${excess.map((word) => (word === 'superuser' ? 'nosuperuser' : `no${word}`)).join(' ')};`,
      },
    ];
  });
}

/** Settings by which a session would have a tenant, a role or no row security before it asked for any. */
const standing = /^(app\..*|role|row_security|session_replication_role|session_authorization)$/;

export const roleRules: readonly Rule[] = [
  {
    name: 'runtime-roles',
    protects: 'Tenant transactions run as these roles: one that may bypass row level security reads all tenants.',
    check: ({ catalog }) => runtimeRoleFindings(catalog),
  },
  ruleOver(
    'runtime-roles-unrelated',
    'A runtime role that is a member of another role can become it, and has whatever that role has.',
    (catalog) => catalog.memberships.filter(({ member }) => isRuntimeRole(member)),
    ({ role, member }) => ({
      object: `role ${member}`,
      message: `is a member of ${role}. Run: revoke ${role} from ${member};`,
    }),
  ),
  ruleOver(
    'runtime-roles-own-nothing',
    'An owner may lift row level security from what it owns.',
    (catalog) => catalog.ownerships.filter(({ role }) => isRuntimeRole(role)),
    ({ role, count, example }) => ({
      object: `role ${role}`,
      message: `owns ${count === 1 ? example : `${count} objects, among them ${example}`}. Run: reassign owned by ${role} to the owner;`,
    }),
  ),
  {
    name: 'one-owner',
    protects: 'What another role owns is not under the migrations: that role can change or open it.',
    check: ({ catalog }) => {
      const { login, database, databaseOwner, schemaOwner } = catalog.server;
      const superusers = new Set(catalog.roles.filter(({ superuser }) => superuser).map(({ name }) => name));
      // Of a superuser they are on managed servers, and a superuser can do everything anyway.
      const around = [
        { name: 'public', owner: schemaOwner, what: 'schema' },
        { name: database, owner: databaseOwner, what: 'database' },
      ].filter(({ owner }) => owner !== 'pg_database_owner' && !superusers.has(owner));
      const owned = [
        ...catalog.relations.map(({ name, owner, kind }) => ({ name, owner, what: kind === 'v' ? 'view' : 'table' })),
        ...catalog.functions.filter(({ schema }) => schema === 'public').map((row) => ({ ...row, what: 'function' })),
        ...catalog.types.filter(({ schema }) => schema === 'public').map((row) => ({ ...row, what: 'type' })),
        ...around,
      ];
      return owned
        .filter(({ owner }) => owner !== login)
        .map(({ name, owner, what }) => ({
          object: what === 'table' ? name : `${what} ${name}`,
          message: `belongs to ${owner}, not to ${login}. Run as ${owner} or an administrator: alter ${what} ${name} owner to ${login};`,
        }));
    },
  },
  ruleOver(
    'owner-unprivileged',
    'FORCE does not hold for a superuser or BYPASSRLS: functions and views of such an owner read all tenants.',
    (catalog) => {
      const names = owners(catalog);
      return catalog.roles
        .filter((role) => names.has(role.name))
        .flatMap((role) => {
          const through = bypasses(role) ? [role.name] : bypassingReach(catalog, role.name);
          return through.length === 0 ? [] : [{ name: role.name, through }];
        });
    },
    ({ name, through }) => ({
      object: `role ${name}`,
      message: through.includes(name)
        ? 'owns tables or functions and is a superuser or has BYPASSRLS. Give them to an owner without these rights.'
        : `owns tables or functions and may become ${through.join(', ')}, for which row level security does not hold. Revoke that membership.`,
    }),
  ),
  ruleOver(
    'services-unprivileged',
    'A service login that is a superuser or has BYPASSRLS, or may become such a role, reads all tenants.',
    (catalog) =>
      services(catalog).flatMap((role) => {
        const through = bypasses(role) ? [role.name] : bypassingReach(catalog, role.name);
        const excess = role.replication ? ['replication'] : [];
        return through.length + excess.length === 0 ? [] : [{ role, through }];
      }),
    ({ role, through }) => ({
      object: `role ${role.name}`,
      message:
        through.length > 0 && !through.includes(role.name)
          ? `is a member of the runtime roles and may become ${through.join(', ')}. Revoke that membership.`
          : 'is a member of the runtime roles and has superuser, bypassrls or replication. An administrator takes it away with alter role.',
    }),
  ),
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
  ruleOver(
    'no-standing-context',
    'A tenant that a role or a database has by default is the tenant of every session that forgot to name one.',
    (catalog) => catalog.settings.filter(({ setting }) => standing.test(setting)),
    ({ role, everyDatabase, setting }) => ({
      object: role === null ? 'database' : `role ${role}`,
      message: `sets ${setting} for every session. Run: alter ${role === null ? 'database …' : `role ${role}${everyDatabase ? '' : ' in database …'}`} reset ${setting};`,
    }),
  ),
  ruleOver(
    'no-parameter-grants',
    'session_replication_role switches foreign keys off; whoever was granted such a parameter writes past them.',
    (catalog) => {
      const names = new Set([...runtimeRoles, 'PUBLIC', ...services(catalog).map(({ name }) => name)]);
      return catalog.parameterGrants.filter(({ grantee }) => names.has(grantee));
    },
    ({ parameter, grantee, privilege }) => ({
      object: `parameter ${parameter}`,
      message: `is granted to ${grantee}. An administrator runs: revoke ${privilege} on parameter ${parameter} from ${grantee};`,
    }),
  ),
];
